import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { dataUrl, dockerParams, type FakeJobSpec, wasmParams } from './bacalhau-rules.ts'

export interface LogFrame {
  /** 1: out, 2: err. */
  readonly Type: 1 | 2
  readonly Line: string
}

type Task = FakeJobSpec['Tasks'][number]

const MODULE_RUNNER = `
const { WASI } = require('node:wasi'), { readFileSync } = require('node:fs')
const { module, words, env, preopens } = JSON.parse(process.argv[1])
const wasi = new WASI({ version: 'preview1', args: words, env, preopens, returnOnExit: true })
WebAssembly.instantiate(readFileSync(module), wasi.getImportObject())
  .then(({ instance }) => process.exit(wasi.start(instance)))
  .catch((error) => { console.error(String(error)); process.exit(1) })
`

/** A file or folder that a node has made ready, and where the program finds it. */
interface Mount {
  readonly at: string
  readonly from: string
}

/**
 * One try of a job, really run as a process of this machine in a folder of its own. There is no container: where the program would
 * find what is mounted, its words name the folder here instead. Kept as a node keeps it: log by pieces, results by name.
 */
export class FakeExecution {
  readonly id: string
  readonly jobId: string
  readonly createdNs: number
  state = 1
  message = ''
  exitCode = -1
  readonly log: LogFrame[] = []
  isLogEnded = false
  /** Whoever follows the log is told. */
  readonly listeners = new Set<() => void>()
  readonly folder: string
  child: ChildProcess | undefined

  constructor(id: string, jobId: string, folder: string) {
    this.id = id
    this.jobId = jobId
    this.createdNs = Date.now() * 1_000_000 + Number(process.hrtime.bigint() % 1_000_000n)
    this.folder = folder
    mkdirSync(path.join(folder, 'results'), { recursive: true })
  }

  /** Resolves with its exit code. @throws Error  as a node fails: it could not be begun */
  async run(task: Task): Promise<number> {
    const isModule = task.Engine.Type === 'wasm'
    // A module is given one folder, in which all lies that is mounted.
    const top = path.join(this.folder, 'top')
    const mounts = task.InputSources.map(({ Source, Target }, at) =>
      this.#input(Source, Target, isModule ? path.join(top, Target) : path.join(this.folder, `input-${at}`)),
    )
    for (const { Name, Path } of task.ResultPaths) {
      const from = isModule ? path.join(top, Name) : path.join(this.folder, 'results', Name)
      mkdirSync(from, { mode: 0o755 })
      mounts.push({ at: Path, from })
    }
    const child = isModule ? this.#module(task, mounts, top) : this.#container(task, mounts)
    this.child = child
    child.stdout?.on('data', (bytes: Buffer) => this.#write(1, bytes, task))
    child.stderr?.on('data', (bytes: Buffer) => this.#write(2, bytes, task))
    const code = await new Promise<number>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (status) => resolve(status ?? 137))
    })
    this.endLog()
    for (const { Name } of isModule ? task.ResultPaths : []) renameSync(path.join(top, Name), path.join(this.folder, 'results', Name))
    return code
  }

  endLog(): void {
    this.isLogEnded = true
    for (const tell of this.listeners) tell()
  }

  /** What the publisher gives out. */
  pack(into: string): void {
    const results = path.join(this.folder, 'results')
    for (const [name, type] of [
      ['stdout', 1],
      ['stderr', 2],
    ] as const)
      writeFileSync(path.join(results, name), this.#kept.flatMap((frame) => (frame.Type === type ? frame.Line : [])).join(''))
    writeFileSync(path.join(results, 'exitCode'), String(this.exitCode))
    execFileSync('tar', ['--format=pax', '--transform', String.raw`s,^\./,,`, '-czf', into, '-C', results, '.'])
  }

  kill(): void {
    try {
      if (this.child?.pid !== undefined) process.kill(-this.child.pid, 'SIGKILL')
    } catch {
      // it is over
    }
  }

  readonly #kept: LogFrame[] = []
  #write(type: 1 | 2, bytes: Buffer, { Engine }: Task): void {
    const frame = { Type: type, Line: String(bytes) }
    this.#kept.push(frame)
    if (Engine.Type === 'wasm') return // of modules no log is written that could be followed
    this.log.push(frame)
    for (const tell of this.listeners) tell()
  }

  #container(task: Task, mounts: readonly Mount[]): ChildProcess {
    const { Entrypoint, Parameters } = dockerParams.parse(task.Engine.Params)
    const here = (word: string) => mounts.reduce((text, { at, from }) => text.replaceAll(at, from), word)
    const [program, ...words] = [...Entrypoint, ...Parameters].map(here)
    if (program === undefined) throw new Error('failed to start container: executable file not found')
    const env = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/', ...task.Env }
    return spawn(program, words, { cwd: this.folder, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  }

  #module(task: Task, mounts: readonly Mount[], top: string): ChildProcess {
    const { EntryModule, Entrypoint, Parameters } = wasmParams.parse(task.Engine.Params)
    const module = mounts.find(({ at }) => at === EntryModule)?.from
    if (module === undefined) throw new Error(`failed to load entry module ${EntryModule}: file does not exist`)
    if (Entrypoint !== '_start') throw new Error(`unable to find the entrypoint '${Entrypoint}' in the WASM module`)
    const told = JSON.stringify({ module, words: ['', ...Parameters], env: task.Env ?? {}, preopens: { '/': top } })
    const words = ['--no-warnings', '-e', MODULE_RUNNER, '--', told]
    return spawn(process.execPath, words, { cwd: this.folder, env: {}, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  }

  #input({ Type, Params }: Task['Engine'], at: string, from: string): Mount {
    if (Type !== 'inline') throw new Error(`storage of type ${Type} is not here`)
    const { type, bytes } = dataUrl(Params.URL)
    mkdirSync(path.dirname(from), { recursive: true })
    if (type === 'application/gzip') {
      mkdirSync(from)
      execFileSync('tar', ['xzf', '-', '-C', from], { input: bytes })
    } else writeFileSync(from, bytes)
    return { at, from }
  }
}
