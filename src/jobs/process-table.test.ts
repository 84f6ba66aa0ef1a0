import fc from 'fast-check'
import { expect, it, vi } from 'vitest'
import { ManualClock } from '../testkit/manual-clock.ts'
import { commandLine, parseProcStat } from './proc-stat.ts'
import { machineCpu, type MachineSample, type ProcessSample, processRows, processTree } from './process-table.ts'
import { TaskTable } from './task-table.ts'

const process = (pid: number, parentPid: number, more: Partial<ProcessSample> = {}): ProcessSample => ({
  pid,
  parentPid,
  sessionId: pid,
  startedAt: '1',
  command: `p${pid}`,
  cpuMs: 0,
  memoryBytes: 1000,
  zombie: false,
  ...more,
})
const machine = (atMs: number, processes: ProcessSample[], busyMs = 0, totalMs = 0): MachineSample => ({
  atMs,
  cores: 2,
  busyMs,
  totalMs,
  memoryBytes: 1,
  lastMinute: 0,
  memoryTotalBytes: 2,
  processes,
})
const pids = (rows: readonly { pid: number }[]) => rows.map(({ pid }) => pid)

it('[JB14] takes descendants, and members of a session whose own parent is gone', () => {
  const all = [process(1, 0), process(10, 1), process(11, 10), process(12, 11), process(20, 1, { sessionId: 10 }), process(30, 1)]
  expect(pids(processTree(all, new Set([10])))).toEqual([10, 11, 12, 20])
})

it('[JB14] a listing that goes round in circles ends', () => {
  const pid = fc.integer({ min: 1, max: 8 })
  fc.assert(
    fc.property(fc.array(fc.tuple(pid, pid, pid)), pid, (entries, root) => {
      const all = entries.map(([id, parent, session]) => process(id, parent, { sessionId: session }))
      const found = processTree(all, new Set([root]))
      expect(found.length).toBeLessThanOrEqual(all.length)
      expect(all.filter((p) => p.pid === root).every((p) => found.includes(p))).toBe(true)
    }),
  )
})

it('[JB14] processor use is what was used between two samples; a reused pid counts from its start', () => {
  const before = machine(0, [process(10, 1, { cpuMs: 5000 }), process(11, 10, { cpuMs: 100, startedAt: '7' })])
  const after = machine(1000, [
    process(10, 1, { cpuMs: 5500 }),
    process(11, 10, { cpuMs: 250, startedAt: '8' }),
    process(12, 10, { zombie: true }),
    process(99, 1),
  ])
  const rows = processRows(before, after, new Set([10]), [{ pid: 11, terminalId: 't' }])
  expect(rows).toEqual([
    { pid: 10, parentPid: 1, command: 'p10', cpu: 0.5, memoryBytes: 1000 },
    { pid: 11, parentPid: 10, command: 'p11', cpu: 0.25, memoryBytes: 1000, terminalId: 't' },
  ])
})

it.each([
  [0, 0, 0],
  [500, 1000, 0.5],
  [2000, 1000, 1],
  [-5, 1000, 0],
])('[JB14] %d ms busy of %d are %d of the machine', (busy, total, cpu) => {
  expect(machineCpu(machine(0, []), machine(1, [], busy, total))).toBe(cpu)
})

it('[JB14] reads stat lines whose names try to confuse', () => {
  const line = '42 (a) b (c) S 7 42 41 34816 42 4194304 1 2 3 4 150 50 0 0 20 0 1 0 99887 1000 256 1844 1 1'
  expect(parseProcStat(line)).toEqual({
    pid: 42,
    name: 'a) b (c',
    state: 'S',
    parentPid: 7,
    sessionId: 41,
    terminal: 34816,
    cpuTicks: 200,
    reapedTicks: 0,
    startTicks: '99887',
    residentPages: 256,
  })
  for (const text of ['', '42', '42 (x', '42 (x) S', ') (']) expect(parseProcStat(text)).toBeUndefined()
})

it('[JB14] a command line is shown on one line', () => {
  expect(commandLine('node\0--flag\0a\nb\0', 'node')).toBe('node --flag a b')
  expect(commandLine('', 'kworker')).toBe('[kworker]')
  expect(commandLine('x'.repeat(1000), 'x')).toHaveLength(300)
})

function table(samples: (() => MachineSample)[]) {
  const clock = new ManualClock()
  const signal = vi.fn(() => true)
  const sample = vi.fn(() => (samples.length > 1 ? samples.shift() : samples[0])?.() as MachineSample)
  const tasks = new TaskTable({ reader: { sample }, signal, clock, supervisorPid: 5, terminals: () => [{ pid: 11, terminalId: 't' }] })
  return { clock, signal, sample, tasks }
}
const running = [process(5, 1), process(6, 5), process(11, 6), process(12, 11), process(50, 1)]

it('[JB14] lists own processes and those of terminals, measured over half a second or since the last look', async () => {
  const { clock, sample, tasks } = table([() => machine(0, running), () => machine(500, running, 100, 200), () => machine(2500, running)])
  const first = tasks.list('device')
  clock.advance(500)
  expect(pids((await first).processes)).toEqual([5, 6, 11, 12])
  expect((await first).load).toEqual({ device: 'device', cores: 2, cpu: 0.5, memoryBytes: 1, memoryTotalBytes: 2 })
  await tasks.list('device')
  expect(sample).toHaveBeenCalledTimes(3)
  expect(clock.pendingTimers).toBe(0)
})

it.each([
  [12, false, 'SIGTERM'],
  [11, true, 'SIGKILL'],
])('[JB14] ends %d (by force: %s) with %s', (pid, force, name) => {
  const { tasks, signal } = table([() => machine(0, running)])
  tasks.end(pid, force)
  expect(signal).toHaveBeenCalledExactlyOnceWith(pid, name)
})

it.each([
  [50, 'task/unknown'],
  [1, 'task/unknown'],
  [77, 'task/unknown'],
  [-1, 'task/unknown'],
  [5, 'task/refused'],
  [6, 'task/refused'],
])('[JB14] does not end %d: %s', (pid, code) => {
  const { tasks, signal } = table([() => machine(0, running)])
  expect(() => tasks.end(pid, true)).toThrow(expect.objectContaining({ code }))
  expect(signal).not.toHaveBeenCalled()
})

it('[JB14] says so when the system refuses', () => {
  const { tasks, signal } = table([() => machine(0, running)])
  signal.mockReturnValue(false)
  expect(() => tasks.end(12, false)).toThrow(expect.objectContaining({ code: 'task/refused' }))
})
