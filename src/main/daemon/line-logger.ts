import type { Logger } from '../../base/logger.ts'

const LEVELS = ['error', 'warn', 'info', 'debug'] as const
type Level = (typeof LEVELS)[number]

/**
 * Which folders write debug lines: `DEBUG=sync,files` or `DEBUG=*`; `-sync` silences a folder down to errors. Everything
 * else writes info and above (R25).
 */
export function parseDebug(text: string | undefined): (folder: string) => Level {
  const entries = new Map<string, Level>()
  for (const entry of (text ?? '').split(',').map((part) => part.trim())) {
    if (entry !== '') entries.set(entry.replace(/^-/, ''), entry.startsWith('-') ? 'error' : 'debug')
  }
  return (folder) => entries.get(folder) ?? entries.get('*') ?? 'info'
}

/** Writes one line per message: time, level, folder, text, details as JSON. Line breaks in it are escaped. */
export class LineLogger implements Logger {
  readonly #folder: string
  readonly #levelOf: (folder: string) => Level
  readonly #write: (line: string) => void

  constructor(folder: string, levelOf: (folder: string) => Level, write: (line: string) => void) {
    this.#folder = folder
    this.#levelOf = levelOf
    this.#write = write
  }

  error(message: string, details?: Readonly<Record<string, unknown>>): void {
    this.#log('error', message, details)
  }
  warn(message: string, details?: Readonly<Record<string, unknown>>): void {
    this.#log('warn', message, details)
  }
  info(message: string, details?: Readonly<Record<string, unknown>>): void {
    this.#log('info', message, details)
  }
  debug(message: string, details?: Readonly<Record<string, unknown>>): void {
    this.#log('debug', message, details)
  }
  child(name: string): Logger {
    return new LineLogger(name, this.#levelOf, this.#write)
  }

  #log(level: Level, message: string, details: Readonly<Record<string, unknown>> = {}): void {
    if (LEVELS.indexOf(level) > LEVELS.indexOf(this.#levelOf(this.#folder))) return
    const rest = Object.keys(details).length > 0 ? ` ${JSON.stringify(details, plainErrors)}` : ''
    const line = `${new Date().toISOString()} ${level.padEnd(5)} ${this.#folder}: ${message}${rest}`
    this.#write(`${line.replaceAll('\n', '\\n')}\n`)
  }
}

function plainErrors(_key: string, value: unknown): unknown {
  if (value instanceof Error) return value.stack ?? value.message
  return typeof value === 'bigint' ? value.toString() : value
}
