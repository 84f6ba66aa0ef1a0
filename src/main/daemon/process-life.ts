import { parseArgs } from 'node:util'
import { DisposableStore } from '../../base/disposable.ts'
import { errorCode, errorMessage } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import { type DataFolder, dataFolderAt } from './data-folder.ts'
import { LineLogger, parseDebug } from './line-logger.ts'

/** What a process of the device is started with. */
export interface ProcessContext {
  readonly data: DataFolder
  readonly log: Logger
  /** Disposed last, in reverse order, when the process ends. */
  readonly owned: DisposableStore
  /** `port` and `renderer` are the device process's. */
  readonly args: { readonly data?: string | undefined; readonly port?: string | undefined; readonly renderer?: string | undefined }
}

/** What a child tells its supervisor, over the channel Node gives it. */
export type ProcessReport =
  | { readonly kind: 'ready'; readonly details?: Readonly<Record<string, unknown>> }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
  /** The answer to any message of the supervisor's: its loop turns. */
  | { readonly kind: 'alive' }

/** What `start` gives back: what the supervisor hears with "ready", and work to be done before the process may end. */
export interface StartedProcess {
  readonly ready?: Readonly<Record<string, unknown>>
  /** Awaited on SIGTERM, before `owned` is disposed. */
  stop?(): Promise<void>
}

/** Longest ending: the supervisor would kill after 6 s; this counts also when it is gone. */
const END_PATIENCE_MS = 5_500

/**
 * The life of the device, host and files processes: reads its arguments, logs lines to stderr (the supervisor keeps them),
 * reports ready or why not, ends on SIGTERM, and ends when its supervisor is gone. SIGINT and SIGHUP are the
 * supervisor's business: Ctrl-C in a terminal reaches everybody.
 */
export async function runProcess(name: string, start: (context: ProcessContext) => Promise<StartedProcess>): Promise<void> {
  const log = new LineLogger(name, parseDebug(process.env.DEBUG), (line) => process.stderr.write(line))
  const { values: args } = parseArgs({ options: { data: { type: 'string' }, port: { type: 'string' }, renderer: { type: 'string' } } })
  const owned = new DisposableStore()
  const context: ProcessContext = { data: dataFolderAt(args.data ?? '.'), log, owned, args }
  let started: StartedProcess | undefined
  let ending = false

  const end = async (code: number, why: string) => {
    if (ending) return
    ending = true
    setTimeout(() => process.exit(code), END_PATIENCE_MS).unref()
    log.info('ending', { why })
    await started?.stop?.().catch((error) => log.error('ending was not clean', { error }))
    owned.dispose()
    process.exit(code)
  }
  // Who read our log may be gone: a write that fails must not become an exception, whose log line fails as well, for ever.
  process.stdout.on('error', () => {})
  process.stderr.on('error', () => {})
  process.on('SIGINT', () => {})
  process.on('SIGHUP', () => {})
  process.on('SIGTERM', () => void end(0, 'asked'))
  process.on('message', () => report({ kind: 'alive' }))
  process.on('disconnect', () => void end(0, 'the supervisor is gone'))
  process.on('uncaughtException', (error) => {
    log.error('a bug ended this process; the supervisor starts it again', { error })
    void end(70, 'a bug')
  })
  process.on('unhandledRejection', (error) => log.error('a promise was rejected and nobody looked', { error }))

  try {
    started = await start(context)
    log.info('ready', { pid: process.pid })
    report({ kind: 'ready', details: started.ready ?? {} })
  } catch (error) {
    log.error('did not start', { error })
    report({ kind: 'failed', code: errorCode(error), message: errorMessage(error) })
    owned.dispose()
    process.exitCode = 1
    setImmediate(() => process.exit(1))
  }
}

function report(message: ProcessReport): void {
  if (process.send) process.send(message)
  else if (message.kind === 'failed') process.stderr.write(`${message.code}: ${message.message}\n`)
}
