import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'

/** One thing people do in a folder; `script` runs in a shell of its own, with `$D` the folder and `$W` the inputs. */
export interface MountStep {
  readonly id: string
  readonly what: string
  readonly script: string
  /** Pages and entries are dropped before. */
  readonly isCold?: boolean
  /** Times the disk below, at most; or at least this share of its speed. */
  readonly atMost?: number
  readonly atLeast?: number
  readonly goal?: string
  /** Peers that are measured at it, too. */
  readonly aheadOf: readonly ('sshfs' | 'rclone')[]
}

const READ = 'dd if=$D/big of=/dev/null bs=1M status=none'

/** In this order: later steps use what earlier ones made. */
export const stepsOf = (mib: number, files: number): readonly MountStep[] => [
  {
    id: 'write',
    what: `write ${mib} MiB and fsync`,
    script: `dd if=$W/random of=$D/big bs=1M conv=fsync status=none`,
    atLeast: 0.2,
    goal: '200 MB/s',
    aheadOf: ['sshfs'],
  },
  { id: 'read-cold', what: `read it, cold, chunks here`, script: READ, isCold: true, atLeast: 0.4, goal: '0.6 of native', aheadOf: [] },
  { id: 'read-warm', what: 'read it again', script: READ, atLeast: 0.9, goal: '1.0 of native', aheadOf: [] },
  {
    id: 'create',
    what: `create ${files} files of 1 KiB`,
    script: `rm -f $D/big; python3 -c "
import os
for a in range(100):
    os.makedirs(f'$D/t/{a}')
    for b in range(${files} // 100):
        with open(f'$D/t/{a}/{b}', 'wb') as f: f.write(b'x' * 1024)"`,
    atMost: 8,
    goal: '4x native',
    aheadOf: ['sshfs', 'rclone'],
  },
  {
    id: 'ls',
    what: `ls -lR of ${files}, cold`,
    script: 'ls -lR $D/t > /dev/null',
    isCold: true,
    atMost: 2.5,
    goal: '2x native',
    aheadOf: ['sshfs', 'rclone'],
  },
  {
    id: 'clone',
    what: 'git clone of 2,000 files',
    script: 'git clone -q --no-hardlinks $W/repo.git $D/clone',
    atMost: 4,
    goal: '3x native',
    aheadOf: ['sshfs', 'rclone'],
  },
  {
    id: 'tar',
    what: 'tar x of 2,000 files',
    script: 'mkdir $D/x; tar xf $W/t.tar -C $D/x',
    atMost: 12,
    goal: '5x native',
    aheadOf: ['sshfs', 'rclone'],
  },
]

/** Random bytes, a repository and an archive of 2,000 small files; the same for every folder measured. */
export async function makeInputs(work: string, mib: number): Promise<void> {
  await mkdir(work, { recursive: true })
  if (existsSync(path.join(work, 't.tar'))) return
  const identity = '-c user.name=a -c user.email=a@b'
  shell(
    `head -c ${mib}M /dev/urandom > $W/random
    python3 -c "
import os, random
R = random.Random(2)
for i in range(2000):
    p = f'$W/src/d{i % 60}/s{i % 7}'
    os.makedirs(p, exist_ok=True)
    open(f'{p}/f{i}.txt', 'w').write(''.join(R.choices('abcdefghijklmnop \\n', k=min(200000, int(R.lognormvariate(8, 1))))))"
    cd $W/src && git init -q && git add -A && git ${identity} commit -qm x && git clone -q --bare . $W/repo.git && rm -rf .git && tar cf $W/t.tar .`,
    work,
    work,
  )
}

export interface TimedFolder {
  readonly name: string
  readonly at: string
  /** Before a cold step: what the mount itself keeps goes, too. */
  forget?(): Promise<void>
}

/** Seconds of each step in a folder, said as they come; none: it failed. What was made is left there. */
export async function timeSteps(
  { name, at, forget }: TimedFolder,
  work: string,
  steps: readonly MountStep[],
): Promise<ReadonlyMap<string, number>> {
  const seconds = new Map<string, number>()
  const folder = path.join(at, `bench-${process.pid}`)
  await mkdir(folder)
  for (const { id, script, isCold } of steps) {
    shell('sync', folder, work)
    if (isCold) await forget?.()
    if (isCold) shell('sync; echo 3 > /proc/sys/vm/drop_caches', folder, work)
    const begunMs = performance.now()
    if (!shell(script, folder, work)) continue
    seconds.set(id, (performance.now() - begunMs) / 1000)
    console.error(`bench: ${name} ${id}: ${seconds.get(id)?.toFixed(2)} s`)
  }
  return seconds
}

/** In a process of its own: a mount is never looked into from the process that serves it, and never from a stuck one. */
function shell(script: string, folder: string, work: string): boolean {
  const { status, stderr } = spawnSync('bash', ['-ec', script], {
    env: { ...process.env, D: folder, W: work },
    encoding: 'utf8',
    timeout: 600_000,
    killSignal: 'SIGKILL',
    cwd: '/',
  })
  if (status !== 0) console.error(`bench: ${script.slice(0, 60)} failed in ${folder}: ${stderr.slice(-300)}`)
  return status === 0
}
