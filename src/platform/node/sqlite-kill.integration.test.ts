import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { WORKSPACE_DOC } from '../../base/ids.ts'
import { Documents } from '../../sync/documents.ts'
import { fakeDevice, fakeSealer } from '../../testkit/fake-identity.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../../testkit/seeded-random.ts'
import { syncContext } from '../../testkit/sync-device.ts'
import { SqliteEnvelopeLog } from './sqlite-envelope-log.ts'
import { SqliteKeyValueStore } from './sqlite-key-value-store.ts'
import { SqliteStore } from './sqlite-store.ts'

const WRITER = fileURLToPath(new URL('../../testkit/kill-writer.ts', import.meta.url))

/** Runs a writer, kills it (SIGKILL) `afterMs` after its first kept change; the last number it called kept. */
async function writeAndKill(path: string, from: number, afterMs: number): Promise<number> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', WRITER, path, String(from)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  let complaint = ''
  child.stderr.on('data', (chunk) => (complaint += chunk))
  const ended = once(child, 'exit')
  child.stdout.on('data', (chunk) => {
    if (said === '') setTimeout(() => child.kill('SIGKILL'), afterMs)
    said += chunk
  })
  const [, signal] = await ended
  expect({ signal, complaint }).toEqual({ signal: 'SIGKILL', complaint: '' })
  // the last line may be cut off: what was said whole was kept
  return Number(said.slice(0, said.lastIndexOf('\n')).split('\n').at(-1)?.split(' ')[1])
}

it('[SY88] kill -9 at any moment loses nothing that was kept', { timeout: 600_000 }, async () => {
  const seed = seedOfRun()
  const rounds = roundsOfRun(8, 60)
  const random = new SeededRandom(seed)
  const folder = mkdtempSync(join(tmpdir(), 'elsewhere-kill-'))
  const path = join(folder, 'store.sqlite')
  try {
    let kept = 0
    for (let round = 0; round < rounds; round++) {
      kept = await writeAndKill(path, kept, random.below(120))
      const store = new SqliteStore({ path, sealer: fakeSealer() })
      expect({ seed, round, damaged: store.setAsideAtStart }).toEqual({ seed, round, damaged: undefined })
      const documents = new Documents(
        syncContext(fakeDevice('A'), { log: new SqliteEnvelopeLog(store), store: new SqliteKeyValueStore(store) }),
      )
      const map = documents.open(WORKSPACE_DOC).doc.getMap('m')
      const missing = Array.from({ length: kept }, (_, n) => n + 1).filter((n) => map.get(`k${n}`) !== n)
      expect({ seed, round, kept, missing }).toEqual({ seed, round, kept, missing: [] })
      documents.dispose()
      store.dispose()
    }
    console.info(`kill -9: seed ${seed}, ${rounds} rounds, ${kept} changes kept, none lost`)
    expect(kept).toBeGreaterThan(rounds)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
