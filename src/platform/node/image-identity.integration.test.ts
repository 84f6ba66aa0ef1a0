import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import { identifyImage } from './image-identity.ts'

const code = (expected: string) => expect.objectContaining({ code: expected })
let folder: string
/** An engine that says this of the image "there", and knows no other. */
const engine = (name: string, says: string) => {
  const file = path.join(folder, name)
  const lines = [
    '#!/bin/sh',
    '[ "$1 $2 $3 $5 $6" = "image inspect --format -- there" ] || { echo "no such image" >&2; exit 125; }',
    `echo "${says}"`,
  ]
  writeFileSync(file, lines.join('\n'))
  chmodSync(file, 0o755)
}

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'ew-image-'))
  return () => rmSync(folder, { recursive: true, force: true })
})

it.each([
  ['podman', 'ab'.repeat(32)],
  ['docker', `sha256:${'ab'.repeat(32)}`],
])('[JB90] an image is the digest of its configuration, as %s says it', async (name, says) => {
  engine(name, says)
  expect(await identifyImage('there', folder)).toEqual({ id: `image:sha256:${'ab'.repeat(32)}`, engine: path.join(folder, name) })
})

it('[JB90] one engine that does not have it is no reason not to ask the other; an image of neither is not there', async () => {
  engine('podman', 'not a digest')
  await expect(identifyImage('there', folder)).rejects.toEqual(code('program/not-found'))
  engine('docker', 'cd'.repeat(32))
  expect((await identifyImage('there', folder)).id).toBe(`image:sha256:${'cd'.repeat(32)}`)
  await expect(identifyImage('--help', folder)).rejects.toEqual(code('program/not-found'))
})

it('[JB90] without an engine nobody can say', async () => {
  await expect(identifyImage('there', folder)).rejects.toEqual(code('program/no-engine'))
})
