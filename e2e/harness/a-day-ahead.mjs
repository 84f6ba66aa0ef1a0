/* Loaded with --import: this process believes that it is a day later than it is, whoever asks. */
const AHEAD_MS = 24 * 3_600_000
const Real = Date

globalThis.Date = class extends Real {
  constructor(...args) {
    super(...(args.length === 0 ? [Real.now() + AHEAD_MS] : args))
  }

  static now() {
    return Real.now() + AHEAD_MS
  }
}
