import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, expect, it, vi } from 'vitest'
import { JobCgroups } from './job-limits.ts'
import { NodeJobProcesses } from './node-job-processes.ts'

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

it.skipIf(process.platform !== 'linux')(
  '[JB48] of "hold still" and "go on" before the program has begun, the newer one counts',
  async () => {
    // As in a sandbox: what was started, its process 1, and the program.
    const child = spawn('/bin/sh', ['-c', "sh -c 'sleep 1000 & echo $$ $!; wait' & wait"], {
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    })
    const cgroups = new JobCgroups('0-a-test-of-signals', 64)
    try {
      const [said] = (await once(child.stdout, 'data')) as [Buffer]
      const [init, program] = String(said).trim().split(' ').map(Number) as [number, number]
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      const sent: unknown[] = []
      vi.spyOn(process, 'kill').mockImplementation((pid, signal) => {
        if (pid === program) sent.push(signal)
        return true
      })
      const processes = new NodeJobProcesses(
        child.pid as number,
        { program: 'sleep', arguments: [], environment: {}, folder: '/' },
        cgroups,
      )
      processes.signal('SIGSTOP') // tried again after 20 ms, 40 ms, ...
      vi.advanceTimersByTime(5)
      processes.signal('SIGCONT') // after 25 ms
      vi.advanceTimersByTime(17)
      processes.noteInit(init)
      vi.advanceTimersByTime(1_000)
      expect(sent).toEqual(['SIGCONT'])
      processes.signal('SIGSTOP')
      expect(sent).toEqual(['SIGCONT', 'SIGSTOP'])
    } finally {
      vi.restoreAllMocks()
      process.kill(-(child.pid as number), 'SIGKILL')
      cgroups.remove()
    }
  },
)
