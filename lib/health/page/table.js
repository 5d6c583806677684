import { setText } from './format.js'

/**
 * A table whose rows are updated in place, so that focus and selection are kept. The columns are in the markup;
 * `data-kind` of a heading is the class of its cells.
 */
class LiveTable extends HTMLElement {
  #rows = new Map()
  #actions = false

  connectedCallback() {
    const table = this.querySelector('table')
    // Set explicitly: on a phone the rows are laid out as paragraphs, and would be read as such.
    table.role = 'table'
    for (const group of table.querySelectorAll('thead, tbody')) group.role = 'rowgroup'
    table.tHead.rows[0].role = 'row'
    for (const heading of table.querySelectorAll('th')) heading.role = 'columnheader'
    this.setAttribute('role', 'group')
    this.setAttribute('aria-labelledby', table.getAttribute('aria-labelledby'))
  }

  /**
   * @param given rows `{ id, cells, action }`, in order. A cell is a text, or `{ text, note, tone, at, more }`, where
   * `more` is `{ title, text }` to be unfolded; an action is `{ label, name, run }`, or undefined for a row without one
   */
  show(given) {
    const rows = withOwnIds(given)
    const table = this.querySelector('table')
    table.hidden = rows.length === 0
    this.querySelector('.empty').hidden = rows.length > 0
    this.#headings(rows.some(({ action }) => action))
    const kept = new Set(rows.map(({ id }) => id))
    for (const [id, { element }] of this.#rows) {
      if (kept.has(id)) continue
      element.remove()
      this.#rows.delete(id)
    }
    const body = table.tBodies[0]
    for (const [index, row] of rows.entries()) {
      const entry = this.#rows.get(row.id) ?? this.#add(row)
      for (const [column, cell] of row.cells.entries()) fill(entry.cells[column], cell)
      this.#act(entry, row.action)
      // An element already in its place is left alone: moving it would take the focus from it.
      if (body.rows[index] !== entry.element) body.insertBefore(entry.element, body.rows[index] ?? null)
    }
    // What scrolls must be reachable by keyboard.
    if (this.scrollHeight > this.clientHeight) this.tabIndex = 0
    else this.removeAttribute('tabindex')
  }

  #headings(actions) {
    if (actions === this.#actions) return
    this.#actions = actions
    const heading = this.querySelector('thead tr')
    if (!actions) heading.lastElementChild.remove()
    else {
      const cell = document.createElement('th')
      const text = document.createElement('span')
      cell.scope = 'col'
      cell.role = 'columnheader'
      text.className = 'hidden'
      text.textContent = 'Action'
      cell.append(text)
      heading.append(cell)
    }
  }

  #add({ cells, id }) {
    const headings = [...this.querySelectorAll('thead th')]
    const element = document.createElement('tr')
    element.role = 'row'
    const made = cells.map((_, column) => {
      const cell = document.createElement(column === 0 ? 'th' : 'td')
      if (column === 0) cell.scope = 'row'
      cell.role = column === 0 ? 'rowheader' : 'cell'
      cell.className = headings[column].dataset.kind ?? 'words'
      cell.dataset.label = headings[column].textContent
      element.append(cell)
      return cell
    })
    const entry = { element, cells: made, action: null }
    this.#rows.set(id, entry)
    return entry
  }

  #act(entry, action) {
    if (this.#actions && !entry.action) {
      const cell = document.createElement('td')
      const button = document.createElement('button')
      cell.className = 'action'
      cell.role = 'cell'
      button.type = 'button'
      cell.append(button)
      entry.element.append(cell)
      entry.action = { cell, button }
    }
    if (!this.#actions && entry.action) {
      entry.action.cell.remove()
      entry.action = null
    }
    if (!entry.action) return
    const { button } = entry.action
    button.hidden = !action
    if (!action) return
    setText(button, action.label)
    button.setAttribute('aria-label', action.name)
    button.onclick = action.run
  }
}

/** Makes ids unique: two long names may look the same once they are cut. */
function withOwnIds(rows) {
  const times = new Map()
  return rows.map((row) => {
    const before = times.get(row.id) ?? 0
    times.set(row.id, before + 1)
    return before === 0 ? row : { ...row, id: `${row.id} ${before}` }
  })
}

function fill(element, cell) {
  const { at, more, note, text, tone } = typeof cell === 'object' ? cell : { text: cell }
  if (element.childElementCount === 0) {
    const main = document.createElement(at === undefined ? 'span' : 'time')
    const below = document.createElement('span')
    main.className = 'text'
    below.className = 'note'
    element.append(main, below)
    if (more !== undefined) element.append(foldedOf(more))
  }
  const [main, below] = element.children
  setText(main, text)
  if (at !== undefined) main.dateTime = new Date(at).toISOString()
  setText(below, note ?? '')
  below.hidden = !note
  element.toggleAttribute('data-empty', text === '–' && !note)
  if (tone) element.dataset.tone = tone
  else delete element.dataset.tone
}

function foldedOf({ text, title }) {
  const details = document.createElement('details')
  const summary = document.createElement('summary')
  const whole = document.createElement('pre')
  summary.textContent = title
  whole.textContent = text
  details.append(summary, whole)
  return details
}

customElements.define('live-table', LiveTable)
