import { figure, timeOf } from './format.js'
import { create, make, niceMaximum, path, timesOf } from './svg.js'

const GUTTER = 40
const EDGE = 8
/** Milliseconds without a sample that make a gap in the curve: the worker was held up. */
const GAP_MS = 3500

const PANELS = [
  { title: 'Queue', height: 110, series: [{ name: 'waiting', shape: 'area', step: false }] },
  {
    title: 'Slots',
    height: 130,
    series: [
      { name: 'busy', shape: 'area', step: true },
      { name: 'slots', shape: 'line', step: true },
    ],
  },
  {
    title: 'Tasks per second',
    height: 90,
    series: [
      { name: 'received', shape: 'line', step: false },
      { name: 'done', shape: 'line', step: false },
      { name: 'failed', shape: 'line', step: false },
    ],
  },
]

/** Curves over a common time axis, one panel below the other: the queue, the slots that follow it, the work they do. */
class SlotChart extends HTMLElement {
  #samples = { at: [] }
  #decisions = []
  #limit = null
  #rangeMs = 120_000
  /** Index of the sample that is read out; null for the latest. */
  #cursor = null
  #panels = []
  #moment = null

  connectedCallback() {
    this.tabIndex = 0
    this.setAttribute('role', 'slider')
    this.setAttribute('aria-label', 'Queue, slots and tasks per second over time')
    this.setAttribute('aria-describedby', 'chart-hint')
    this.#panels = PANELS.map((panel) => this.#build(panel))
    this.#moment = document.createElement('span')
    this.#moment.className = 'moment'
    this.querySelector('.readout').append(this.#moment)
    for (const type of ['pointermove', 'pointerdown']) this.addEventListener(type, (event) => this.#point(event))
    for (const type of ['pointerleave', 'blur']) this.addEventListener(type, () => this.#read(null))
    this.addEventListener('keydown', (event) => this.#key(event))
    new ResizeObserver(() => this.#draw()).observe(this)
  }

  /** @param samples columns, oldest first @param limit the most slots there may be */
  show(samples, decisions, limit) {
    const read = this.#cursor === null ? null : this.#samples.at[this.#cursor]
    this.#samples = samples
    this.#decisions = decisions
    this.#limit = limit
    const index = read === null ? -1 : samples.at.indexOf(read)
    this.#cursor = index < 0 ? null : index
    this.#draw()
    if (document.activeElement !== this) this.#describe()
  }

  set rangeMs(ms) {
    this.#rangeMs = ms
    this.#draw()
  }

  #build({ height, series, title }) {
    const readout = document.createElement('div')
    readout.className = 'readout'
    const name = document.createElement('span')
    name.className = 'panel'
    name.textContent = title
    readout.append(name)
    const values = series.map((each) => {
      const entry = document.createElement('span')
      const swatch = document.createElement('span')
      const value = document.createElement('b')
      swatch.className = `swatch ${each.shape} ${each.name}`
      entry.append(swatch, `${each.name} `, value)
      readout.append(entry)
      return value
    })
    const svg = create('svg')
    svg.setAttribute('aria-hidden', 'true')
    this.append(readout, svg)
    const last = title === PANELS.at(-1).title
    return { series, values, svg, height, axis: last ? 20 : 4, title }
  }

  /** Returns the indices shown, and the positions of a time and a value. */
  #window() {
    const { at } = this.#samples
    const end = at.at(-1)
    const begin = Math.max(end - this.#rangeMs, Math.min(at[0], end - 60_000))
    const width = Math.max(this.clientWidth, 240)
    const x = (time) => GUTTER + ((time - begin) / (end - begin)) * (width - GUTTER - EDGE)
    const first = Math.max(0, at.findIndex((time) => time >= begin) - 1)
    return { begin, end, width, x, first }
  }

  #draw() {
    if (this.#samples.at.length === 0 || this.#panels.length === 0) return
    const view = this.#window()
    for (const panel of this.#panels) this.#drawPanel(panel, view)
    this.#readouts()
  }

  #drawPanel({ axis, height, series, svg, title }, view) {
    const { begin, first, width, x } = view
    const top = niceMaximum(Math.max(...series.flatMap(({ name }) => this.#samples[name].slice(first))))
    const y = (value) => 6 + (1 - Math.max(value, 0) / top) * (height - 6)
    svg.setAttribute('viewBox', `0 0 ${width} ${height + axis}`)
    svg.setAttribute('height', String(height + axis))
    svg.replaceChildren()
    const clip = `clip-${title.replaceAll(' ', '-')}`
    make(make(svg, 'clipPath', { id: clip }), 'rect', { x: GUTTER, y: 0, width: width - GUTTER, height: height + 1 })
    const plot = create('g')
    plot.setAttribute('clip-path', `url(#${clip})`)
    for (const { name, shape, step } of series) {
      const runs = this.#runs(name, first).map((run) => run.map(({ time, value }) => [x(time), y(value)]))
      const line = runs.map((points) => path(points, step)).join('')
      if (shape === 'area') {
        const areas = runs.map((points) => `${path(points, step)}V${y(0)}H${points[0][0].toFixed(1)}Z`)
        make(plot, 'path', { class: `fill ${name}`, d: areas.join('') })
      }
      if (name !== 'busy') make(plot, 'path', { class: `line ${name}`, d: line })
    }
    for (const value of [0, top / 2, top]) {
      make(svg, 'line', { class: 'grid', x1: GUTTER, x2: width - EDGE, y1: y(value), y2: y(value) })
      const label = make(svg, 'text', { x: GUTTER - 8, y: y(value) + 4, 'text-anchor': 'end' })
      label.textContent = figure(value)
    }
    svg.append(plot)
    if (title === 'Slots') this.#drawDecisions(svg, view, top, y)
    if (axis > 10) this.#drawTimes(svg, view, height)
    const cursor = this.#cursor === null ? null : this.#samples.at[this.#cursor]
    if (cursor !== null && cursor >= begin) {
      make(svg, 'line', { class: 'cursor', x1: x(cursor), x2: x(cursor), y1: 0, y2: height })
    }
  }

  #drawDecisions(svg, { begin, end, width, x }, top, y) {
    if (this.#limit !== null && this.#limit <= top) {
      make(svg, 'line', { class: 'limit', x1: GUTTER, x2: width - EDGE, y1: y(this.#limit), y2: y(this.#limit) })
    }
    for (const { at, slots } of this.#decisions) {
      if (at >= begin && at <= end) make(svg, 'circle', { class: 'decision', cx: x(at), cy: y(slots), r: 3.5 })
    }
  }

  #drawTimes(svg, { begin, end, width, x }, height) {
    const { stepMs, times } = timesOf(begin, end, Math.floor((width - GUTTER) / 88))
    for (const time of times) {
      const anchor = x(time) > width - EDGE - 24 ? 'end' : 'middle'
      const label = make(svg, 'text', { x: anchor === 'end' ? width : x(time), y: height + 16, 'text-anchor': anchor })
      label.textContent = stepMs < 60_000 ? timeOf(time) : timeOf(time).slice(0, 5)
    }
  }

  /** Returns the points of a curve from `first` on, split where samples are missing. */
  #runs(name, first) {
    const { at } = this.#samples
    const points = at.slice(first).map((time, index) => ({ time, value: this.#samples[name][first + index] }))
    const runs = []
    for (const [index, point] of points.entries()) {
      if (index === 0 || point.time - points[index - 1].time > GAP_MS) runs.push([])
      runs.at(-1).push(point)
    }
    return name === 'slots' ? runs.map((run) => this.#withDecisions(run)) : runs
  }

  /** Adds the decision between two samples, so that the curve changes at its time. */
  #withDecisions(run) {
    const [from, to] = [run[0].time, run.at(-1).time]
    const made = this.#decisions
      .filter(({ at }) => at > from && at < to)
      .map(({ at, slots }) => ({ time: at, value: slots }))
    return [...run, ...made].sort((one, other) => one.time - other.time)
  }

  #readouts() {
    const index = this.#cursor ?? this.#samples.at.length - 1
    for (const { series, values } of this.#panels) {
      for (const [place, { name }] of series.entries()) {
        values[place].textContent = figure(this.#samples[name][index])
      }
    }
    this.#moment.textContent = this.#cursor === null ? 'now' : timeOf(this.#samples.at[index])
  }

  #describe() {
    const { at, busy, done, failed, slots, waiting } = this.#samples
    const index = this.#cursor ?? at.length - 1
    this.setAttribute('aria-valuemin', '0')
    this.setAttribute('aria-valuemax', String(at.length - 1))
    this.setAttribute('aria-valuenow', String(index))
    this.setAttribute(
      'aria-valuetext',
      `${timeOf(at[index])}: ${waiting[index]} waiting, ${slots[index]} slots, ${busy[index]} busy, ` +
        `${figure(done[index])} done and ${figure(failed[index])} failed per second`,
    )
  }

  #point(event) {
    if (this.#samples.at.length === 0) return
    const { first, x } = this.#window()
    const left = event.clientX - this.getBoundingClientRect().left
    const { at } = this.#samples
    let nearest = first
    for (let index = first; index < at.length; index++) {
      if (Math.abs(x(at[index]) - left) < Math.abs(x(at[nearest]) - left)) nearest = index
    }
    this.#read(nearest)
  }

  #key(event) {
    const last = this.#samples.at.length - 1
    if (last < 0) return
    const from = this.#cursor ?? last
    const { first } = this.#window()
    const to = {
      ArrowLeft: from - 1,
      ArrowDown: from - 1,
      ArrowRight: from + 1,
      ArrowUp: from + 1,
      PageDown: from - 10,
      PageUp: from + 10,
      Home: first,
      End: last,
      Escape: null,
    }[event.key]
    if (to === undefined) return
    event.preventDefault()
    this.#read(to === null ? null : Math.min(Math.max(to, first), last))
    this.#describe()
  }

  #read(index) {
    if (index === this.#cursor) return
    this.#cursor = index
    this.#draw()
  }
}

customElements.define('slot-chart', SlotChart)
