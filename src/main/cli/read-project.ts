import { readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import type { ClassifyContext, ProjectFiles } from '../../device/classify-words.ts'

/** Files that aliases lead to, as people name them; the first that is there counts. */
const FILES: Readonly<Record<Exclude<keyof ProjectFiles, 'denoTasks'>, readonly string[]>> = {
  makefile: ['GNUmakefile', 'makefile', 'Makefile'],
  justfile: ['justfile', 'Justfile', '.justfile'],
  taskfile: ['Taskfile.yml', 'Taskfile.yaml', 'taskfile.yml', 'taskfile.yaml'],
  dockerfile: ['Dockerfile', 'Containerfile'],
  compose: ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml'],
}
/** A longer file is not looked at: no hand-written one is. */
const MAX_BYTES = 512 * 1024

/** What a folder says of the aliases typed in it. What cannot be read is as if it were not there. */
export function readProject(folder: string): ClassifyContext {
  const files: Record<string, string> = {}
  for (const [name, candidates] of Object.entries(FILES)) {
    for (const candidate of candidates) {
      const text = readShort(path.join(folder, candidate))
      if (text === undefined) continue
      files[name] = text
      break
    }
  }
  const scripts = stringsAt(readShort(path.join(folder, 'package.json')), 'scripts')
  const denoTasks = stringsAt(readShort(path.join(folder, 'deno.json')), 'tasks')
  return { ...(scripts && { scripts }), files: { ...files, ...(denoTasks && { denoTasks }) } }
}

function readShort(file: string): string | undefined {
  try {
    const found = statSync(file)
    return found.isFile() && found.size <= MAX_BYTES ? readFileSync(file, 'utf8') : undefined
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined // not there, or not ours to read
    throw error
  }
}

function stringsAt(json: string | undefined, key: string): Readonly<Record<string, string>> | undefined {
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
