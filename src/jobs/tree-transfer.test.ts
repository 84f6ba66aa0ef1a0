import { expect, it } from 'vitest'
import { MemoryTree } from '../testkit/memory-tree.ts'
import { memoryChannelPair } from '../testkit/memory-channels.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../testkit/seeded-random.ts'
import { TreeGuest } from './tree-guest.ts'
import { TreeOwner } from './tree-owner.ts'

function join(owned: MemoryTree, guest: TreeGuest) {
  const [near, far] = memoryChannelPair()
  const owner = new TreeOwner(near, owned, 'server')
  guest.attach(far)
  return { owner, cut: () => near.close('link/cut') }
}
const texts = (tree: MemoryTree) =>
  Object.fromEntries([...tree.entries].flatMap(([path, { entry }]) => (entry.kind === 'file' ? [[path, tree.text(path)]] : [])))

it('[JB46] the copy becomes equal, and what the job changes comes back', async () => {
  const [mine, theirs] = [new MemoryTree(), new MemoryTree(1_000_000)]
  mine.write('a', 'one')
  mine.write('d/b', 'x'.repeat(200_000))
  theirs.write('stale', 'of the job before')
  const guest = new TreeGuest(theirs)
  const { owner } = join(mine, guest)
  await guest.receive()
  expect(texts(theirs)).toEqual(texts(mine))
  theirs.write('a', 'two')
  theirs.write('new', '')
  theirs.entries.delete('d/b')
  await guest.sendResults(true)
  expect(texts(mine)).toEqual({ a: 'two', new: '' })
  expect(owner.count).toMatchObject({ files: 2, conflicts: 0, sentBytes: 200_003 })
})

it('[JB47] a file changed here meanwhile stays, and the result lies beside it', async () => {
  const [mine, theirs] = [new MemoryTree(), new MemoryTree(1_000_000)]
  mine.write('notes.txt', 'old')
  mine.write('gone', 'old')
  const guest = new TreeGuest(theirs)
  const { owner } = join(mine, guest)
  await guest.receive()
  mine.write('notes.txt', 'mine, newer')
  mine.write('gone', 'mine, newer')
  theirs.write('notes.txt', 'of the job')
  theirs.entries.delete('gone')
  await guest.sendResults(true)
  expect(texts(mine)).toEqual({ 'notes.txt': 'mine, newer', 'notes (from server).txt': 'of the job', gone: 'mine, newer' })
  expect(owner.count.conflicts).toBe(1)
})

it('[JB47] where a file of ours stands that the job made a folder of, the file goes if it is as the job had it, else it stays, as links do', async () => {
  const [mine, theirs] = [new MemoryTree(), new MemoryTree(1_000_000)]
  for (const name of ['plain', 'edited', 'd/deep']) mine.write(name, 'old')
  await mine.makeLink('link', '/mnt/big')
  const guest = new TreeGuest(theirs)
  const { owner, cut } = join(mine, guest)
  await guest.receive()
  mine.write('edited', 'mine, newer')
  mine.write('d/deep', 'mine, newer')
  mine.write('edited (from server)', 'mine, too')
  for (const name of ['plain', 'edited', 'link', 'd/deep']) {
    theirs.entries.delete(name)
    await theirs.makeFolder(name, 0o755)
    theirs.write(`${name}/y`, `of ${name}`)
  }
  await guest.sendResults(true)
  const whole = {
    'plain/y': 'of plain',
    edited: 'mine, newer',
    'edited (from server)': 'mine, too',
    'edited (from server 2)/y': 'of edited',
    'link (from server)/y': 'of link',
    'd/deep': 'mine, newer',
    'd/deep (from server)/y': 'of d/deep',
  }
  expect(texts(mine)).toEqual(whole)
  expect(await mine.stat('link')).toMatchObject({ kind: 'link', target: '/mnt/big' })
  expect(owner.count).toMatchObject({ files: 4, conflicts: 3 })
  cut()
  join(mine, guest) // told once more: it comes to lie where it does
  theirs.write('edited/z', 'more')
  await guest.sendResults(true)
  expect(texts(mine)).toEqual({ ...whole, 'edited (from server 2)/z': 'more' })
})

it('[JB47] what lies beside has a name that a disk keeps, however long it was', async () => {
  const [mine, theirs] = [new MemoryTree(), new MemoryTree(1_000_000)]
  const name = `${'鯨'.repeat(83)}.txt`
  mine.write(name, 'old')
  const guest = new TreeGuest(theirs)
  join(mine, guest)
  await guest.receive()
  mine.write(name, 'mine, newer')
  theirs.write(name, 'of the job')
  await guest.sendResults(true)
  const beside = [...mine.entries.keys()].find((one) => one !== name) ?? ''
  expect(beside).toMatch(/^鯨+ \(from server\)\.txt$/)
  expect(Buffer.byteLength(beside)).toBeLessThanOrEqual(255)
})

it('[JB46] a file that is still being written is not sent before the job has ended', async () => {
  const [mine, theirs] = [new MemoryTree(), new MemoryTree(1_000_000)]
  const guest = new TreeGuest(theirs)
  join(mine, guest)
  await guest.receive()
  theirs.write('growing', '1')
  await guest.sendResults(false)
  theirs.write('growing', '12')
  await guest.sendResults(false)
  expect(texts(mine)).toEqual({})
  await guest.sendResults(false)
  expect(texts(mine)).toEqual({ growing: '12' })
})

/** One job with cuts at random places; in the end both folders are equal, and nothing of ours was lost. */
async function rounds(seed: number, newTree: () => MemoryTree = () => new MemoryTree()): Promise<string | undefined> {
  const random = new SeededRandom(seed)
  const [mine, theirs] = [newTree(), new MemoryTree(1_000_000)]
  const name = () => `f${random.below(8)}`
  const text = () => 'x'.repeat(random.below(3) * 70_000 + random.below(10))
  for (let n = 0; n < 5; n++) mine.write(name(), text())
  const guest = new TreeGuest(theirs)
  let joined = join(mine, guest)
  const again = async (work: () => Promise<unknown>) => {
    for (let tries = 0; ; tries++) {
      const cut = tries < 5 && random.chance(0.6)
      const done = work()
      done.catch(() => undefined)
      if (cut) {
        for (let turns = random.below(30); turns > 0; turns--) await Promise.resolve()
        joined.cut()
      }
      try {
        return await done
      } catch {
        joined.cut()
        joined = join(mine, guest)
      }
    }
  }
  await again(() => guest.receive())
  if (JSON.stringify(texts(mine)) !== JSON.stringify(texts(theirs))) {
    const sorted = (tree: MemoryTree) => JSON.stringify(Object.entries(texts(tree)).sort())
    if (sorted(mine) !== sorted(theirs)) return 'the copy is not equal'
  }
  const ours = new Map<string, string>()
  for (let step = 0; step < 12; step++) {
    if (random.chance(0.7)) theirs.write(name(), text())
    else theirs.entries.delete(name())
    if (random.chance(0.2)) {
      // Between the look and the rename of a result there are microseconds in which a change of ours cannot be seen.
      for (let turns = 0; turns < 50; turns++) await Promise.resolve()
      const [at, newer] = [name(), `ours ${step}`]
      mine.write(at, newer)
      ours.set(at, newer)
    }
    await again(() => guest.sendResults(false))
  }
  await again(() => guest.sendResults(true))
  for (const [at, newer] of ours) if (mine.text(at) !== newer) return `our newer ${at} was lost`
  for (const [at, wanted] of Object.entries(texts(theirs))) {
    const beside = mine.text(`${at} (from server)`)
    if (mine.text(at) !== wanted && beside === undefined && !ours.has(at)) return `the result ${at} did not come`
  }
  return undefined
}

it('[JB46][JB47] with cuts anywhere the results come, and nothing changed here is lost', async () => {
  const seed = seedOfRun()
  for (let round = 0; round < roundsOfRun(60, 1_500); round++) {
    expect({ seed: seed + round, problem: await rounds(seed + round) }).toEqual({ seed: seed + round, problem: undefined })
  }
}, 600_000)

/** Plants: now and then it does not see a file that is there. */
class ForgetfulTree extends MemoryTree {
  #looks = 0

  override async stat(path: string) {
    return (this.#looks += 1) % 3 === 0 ? undefined : super.stat(path)
  }
}

it('[JB47] the fuzz finds an owner that overlooks a file of ours (planted)', async () => {
  const problems = new Set<string>()
  for (let seed = 1; seed <= 60; seed++) problems.add((await rounds(seed, () => new ForgetfulTree())) ?? '')
  expect([...problems].join()).toMatch(/our newer f\d was lost/)
})

it('[JB49] a device that lies about results fills no disk here: what does not fit is refused, and that is said', async () => {
  const [mine, theirs] = [new MemoryTree(), new MemoryTree(1_000_000)]
  mine.write('kept', 'mine')
  mine.free = 300 * 1024 ** 2
  const guest = new TreeGuest(theirs)
  join(mine, guest)
  await guest.receive()
  theirs.write('huge', '')
  const huge = theirs.entries.get('huge')
  theirs.entries.set('huge', { entry: { ...huge?.entry, bytes: 8 * 1024 ** 3 } as never, bytes: new Uint8Array(64) })
  await expect(guest.sendResults(true)).rejects.toMatchObject({ code: 'job/disk-full' })
  expect(texts(mine)).toEqual({ kept: 'mine' })
})

it('[JB46] what was found out before it is asked for counts once: after a cut the folder is looked at anew', async () => {
  const [mine, theirs] = [new MemoryTree(), new MemoryTree(1_000_000)]
  mine.write('a', 'one')
  const guest = new TreeGuest(theirs)
  const first = join(mine, guest)
  const receiving = guest.receive()
  first.cut()
  await expect(receiving).rejects.toMatchObject({ code: 'job/device-away' })
  mine.write('b', 'made while it was cut')
  theirs.write('c', 'left there')
  const [near, far] = memoryChannelPair()
  const owner = new TreeOwner(near, mine, 'server')
  guest.attach(far)
  await guest.receive()
  expect(texts(theirs)).toEqual({ a: 'one', b: 'made while it was cut' })
  owner.dispose()
})
