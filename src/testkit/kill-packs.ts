import { writeSync } from 'node:fs'
import type { ChunkId, SealedChunk } from '../files/chunk-id.ts'
import { PackChunkStore } from '../platform/node/pack-chunk-store.ts'

export const killedChunk = (n: number): SealedChunk => ({
  id: n.toString(16).padStart(64, '0') as ChunkId,
  epoch: 0,
  bytes: new Uint8Array(3000).fill(n % 251),
})

/*
 * Puts, drops, gives back space and evicts until it is killed: `node kill-packs.ts FOLDER FROM`. Says on stdout what is held after it
 * was put, what will be dropped or may be evicted before it is, and when it gives back space and evicts.
 */
if (process.argv[1]?.endsWith('kill-packs.ts')) {
  const [folder, from] = process.argv.slice(2) as [string, string]
  const say = (line: string) => writeSync(1, `${line}\n`)
  const store = new PackChunkStore(folder, { packBytes: 100_000 })
  const held = [...store.ids()].map((id) => Number.parseInt(id, 16))
  for (let n = Number(from); ; n++) {
    store.put(killedChunk(n))
    say(`held ${n}`)
    held.push(n)
    if (n % 40 !== 0) continue
    for (const old of held.filter((_, at) => at % 2 === 0 && at < held.length - 30)) {
      say(`dropping ${old}`)
      await store.drop([killedChunk(old).id])
      held.splice(held.indexOf(old), 1)
    }
    say('reclaiming')
    await store.reclaim()
    say('reclaimed')
    if (n % 80 !== 0) continue
    // Every fourth may go, and nothing says which of them did.
    for (const old of held.filter((one) => one % 4 === 0)) {
      say(`dropping ${old}`)
      held.splice(held.indexOf(old), 1)
    }
    say('evicting')
    await store.evict(150_000, (id) => Number.parseInt(id, 16) % 4 !== 0)
    say('evicted')
  }
}
