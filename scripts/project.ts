import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'

/** The checkout's folder; every script works from here, wherever it was called from. */
export const ROOT = path.resolve(import.meta.dirname, '..')

export const inProject = (...parts: string[]): string => path.join(ROOT, ...parts)

const BIN = inProject('node_modules', '.bin')

export interface RunResult {
  readonly code: number
  readonly output: string
  readonly elapsedMs: number
}

/**
 * Runs a program of the project (`node_modules/.bin` first on the PATH, so `node` is Node 24).
 *
 * @param options.show  passes its output on as it comes; the output is returned either way
 */
export function run(
  program: string,
  args: readonly string[],
  options: { show?: boolean; env?: NodeJS.ProcessEnv } = {},
): Promise<RunResult> {
  const startedMs = performance.now()
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: ROOT,
      env: { ...process.env, ...options.env, PATH: `${BIN}${path.delimiter}${process.env.PATH ?? ''}` },
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    })
    const chunks: Buffer[] = []
    const take = (target: NodeJS.WriteStream) => (chunk: Buffer) => {
      chunks.push(chunk)
      if (options.show) target.write(chunk)
    }
    child.stdout.on('data', take(process.stdout))
    child.stderr.on('data', take(process.stderr))
    const finish = (code: number, extra = '') =>
      resolve({ code, output: Buffer.concat(chunks).toString() + extra, elapsedMs: performance.now() - startedMs })
    child.on('error', (error) => finish(127, `${program}: ${error.message}\n`))
    child.on('close', (code, signal) => finish(code ?? (signal ? 128 : 1)))
  })
}

/** First of these programs that is on the PATH. */
export function findProgram(...names: readonly string[]): string | undefined {
  const folders = (process.env.PATH ?? '').split(path.delimiter)
  for (const name of names) {
    for (const folder of folders) {
      const file = path.join(folder, name)
      if (folder !== '' && existsSync(file)) return file
    }
  }
  return undefined
}

export const isRoot = (): boolean => process.getuid?.() === 0
