/**
 * One rubric everywhere (R25): error = gave up, warn = will retry, info = one line per state change, debug = the rest.
 * Never pass a secret, a code, a passphrase or a one-time URL.
 */
export interface Logger {
  error(message: string, details?: Readonly<Record<string, unknown>>): void
  warn(message: string, details?: Readonly<Record<string, unknown>>): void
  info(message: string, details?: Readonly<Record<string, unknown>>): void
  debug(message: string, details?: Readonly<Record<string, unknown>>): void
  /** A logger whose lines start with this folder's name; `DEBUG=sync,files` sets levels by it. */
  child(name: string): Logger
}

/** Drops everything; for tests and for parts whose log nobody reads. */
export const silentLogger: Logger = { error() {}, warn() {}, info() {}, debug() {}, child: () => silentLogger }
