import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import type { ProjectContext } from '../../jobs/placement-contract.ts'

/** Files that aliases lead to, as people name them; the first that is there counts. */
const FILES = {
  makefile: ['GNUmakefile', 'makefile', 'Makefile'],
  justfile: ['justfile', 'Justfile', '.justfile'],
  taskfile: ['Taskfile.yml', 'Taskfile.yaml', 'taskfile.yml', 'taskfile.yaml'],
  dockerfile: ['Dockerfile', 'Containerfile'],
  compose: ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml'],
} as const satisfies Partial<Readonly<Record<keyof ProjectContext, readonly string[]>>>
/** A longer file is not looked at: no hand-written one is. */
const MAX_BYTES = 512 * 1024

/** What a folder says of the aliases typed in it. What cannot be read is as if it were not there. */
export async function readProject(folder: string): Promise<ProjectContext> {
  const [files, scripts, denoTasks] = await Promise.all([
    Promise.all(Object.entries(FILES).map(async ([name, candidates]) => [name, await firstOf(folder, candidates)] as const)),
    readShort(path.join(folder, 'package.json')).then((text) => stringsAt(text, 'scripts')),
    readShort(path.join(folder, 'deno.json')).then((text) => stringsAt(text, 'tasks')),
  ])
  return {
    ...Object.fromEntries(files.filter(([, text]) => text !== undefined)),
    ...(scripts && { scripts }),
    ...(denoTasks && { denoTasks }),
  }
}

async function firstOf(folder: string, candidates: readonly string[]): Promise<string | undefined> {
  for (const candidate of candidates) {
    const text = await readShort(path.join(folder, candidate))
    if (text !== undefined) return text
  }
  return undefined
}

async function readShort(file: string): Promise<string | undefined> {
  try {
    const found = await stat(file)
    return found.isFile() && found.size <= MAX_BYTES ? await readFile(file, 'utf8') : undefined
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined // not there, or not ours to read
    throw error
  }
}

function stringsAt(json: string | undefined, key: string): Record<string, string> | undefined {
  if (json === undefined) return undefined
  try {
    const inner: unknown = (JSON.parse(json) as Record<string, unknown> | null)?.[key]
    if (inner === null || typeof inner !== 'object') return undefined
    return Object.fromEntries(Object.entries(inner).filter((pair): pair is [string, string] => typeof pair[1] === 'string'))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined // half-written just now: names must do
    throw error
  }
}
