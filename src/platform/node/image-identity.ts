import { execFile } from 'node:child_process'
import { ProgramError } from '../../jobs/program-error.ts'
import type { ImageDigest } from '../../jobs/program-identity.ts'
import { findProgram } from './pty-lydell.ts'

const ENGINES = ['podman', 'docker']
/** An engine that is asked for one image answers at once, or its service does not run. */
const ANSWER_MS = 30_000

/**
 * A container image by the digest of its configuration, which names each layer by its own: as the engine of this machine that has it
 * says (`podman image inspect`), the same on every machine and in every registry.
 *
 * @throws ProgramError `program/no-engine`, `program/not-found`
 */
export async function identifyImage(image: string, searchPath: string): Promise<{ readonly id: ImageDigest; readonly engine: string }> {
  const engines = ENGINES.flatMap((name) => findProgram(name, '/', searchPath) ?? [])
  if (engines.length === 0) {
    throw new ProgramError('program/no-engine', 'what an image is says the engine that has it: install podman or docker on this machine')
  }
  let why = ''
  for (const engine of engines) {
    const { code, out, said } = await ask(engine, ['image', 'inspect', '--format', '{{.Id}}', '--', image])
    const digest = /^(?:sha256:)?([0-9a-f]{64})$/.exec(out.trim())?.[1]
    if (code === 0 && digest !== undefined) return { id: `image:sha256:${digest}`, engine }
    why ||= said.trim().split('\n')[0]?.slice(0, 200) ?? ''
  }
  throw new ProgramError('program/not-found', `no engine of this machine has the image ${image.slice(0, 200)}: pull it first (${why})`)
}

function ask(file: string, words: readonly string[]): Promise<{ code: number; out: string; said: string }> {
  return new Promise((resolve) => {
    execFile(file, [...words], { timeout: ANSWER_MS, maxBuffer: 1024 * 1024 }, (error, out, said) =>
      resolve({ code: error ? 1 : 0, out, said: said || (error?.message ?? '') }),
    )
  })
}
