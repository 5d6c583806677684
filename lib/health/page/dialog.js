const STORED = 'celeriac-token'

/** Asks for confirmation before a change, and for the token if this tab doesn't know it yet. */
class ControlDialog extends HTMLElement {
  #request = null

  connectedCallback() {
    this.querySelector('form').addEventListener('submit', (event) => {
      event.preventDefault()
      this.#confirm()
    })
    this.querySelector('#dialog-cancel').addEventListener('click', () => this.querySelector('dialog').close())
  }

  /**
   * @param request `{ title, text, confirm, command, args, fields, done }`; a field is `{ name, label, type, value }`
   * and becomes an argument of the command. `done` receives the worker's answer
   */
  ask(request) {
    this.#request = request
    this.querySelector('#dialog-title').textContent = request.title
    this.querySelector('#dialog-text').textContent = request.text
    this.querySelector('#dialog-confirm').textContent = request.confirm
    this.querySelector('#dialog-fields').replaceChildren(...(request.fields ?? []).map(fieldOf))
    this.#error('')
    this.#askToken(sessionStorage.getItem(STORED) === null)
    this.querySelector('dialog').showModal()
  }

  async #confirm() {
    const { args, command, done, fields = [] } = this.#request
    const form = new FormData(this.querySelector('form'))
    const token = sessionStorage.getItem(STORED) ?? String(form.get('token')).trim()
    const button = this.querySelector('#dialog-confirm')
    const values = fields.map(({ name, type }) => [name, type === 'number' ? Number(form.get(name)) : form.get(name)])
    button.disabled = true
    try {
      const response = await fetch(`/api/control/${command}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ ...args, ...Object.fromEntries(values) }),
      })
      const answer = await response.json()
      if (response.status === 401) this.#askToken(true)
      else sessionStorage.setItem(STORED, token)
      if (!response.ok) return this.#error(answer.error)
      this.querySelector('dialog').close()
      done(answer.ok)
    } catch (thrown) {
      this.#error(`The worker did not answer: ${thrown.message}`)
    } finally {
      button.disabled = false
    }
  }

  #askToken(needed) {
    const label = this.querySelector('#dialog-token')
    const input = label.querySelector('input')
    label.hidden = !needed
    input.required = needed
    if (!needed) return
    sessionStorage.removeItem(STORED)
    input.value = ''
  }

  #error(text) {
    this.querySelector('#dialog-error').textContent = text
  }
}

function fieldOf({ label, name, type, value }) {
  const element = document.createElement('label')
  const input = document.createElement('input')
  input.name = name
  input.type = type
  input.required = true
  input.value = String(value ?? '')
  if (type === 'number') input.min = '1'
  element.append(label, input)
  return element
}

customElements.define('control-dialog', ControlDialog)
