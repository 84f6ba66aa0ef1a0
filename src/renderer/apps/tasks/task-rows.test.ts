import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { ProcessRow } from '../../../jobs/terminal-contract.ts'
import { taskLines, taskName } from './task-rows.ts'

const row = (pid: number, parentPid: number, cpu = 0, command = `program-${pid}`): ProcessRow => ({
  device: 'd1',
  pid,
  parentPid,
  command,
  cpu,
  memoryBytes: pid,
})
const pids = (lines: readonly { process: ProcessRow }[]) => lines.map((line) => line.process.pid)

it('[AP50] children stand below their parent, the busiest tree first', () => {
  const lines = taskLines([row(1, 0, 0.1), row(2, 1, 0.2), row(3, 0, 0.25), row(4, 1, 0.05)], 'cpu', new Set())
  expect(pids(lines)).toEqual([1, 2, 4, 3])
  expect(lines.map((line) => line.depth)).toEqual([0, 1, 1, 0])
  expect(lines[0]).toMatchObject({ children: 2, totalMemoryBytes: 7 })
})

it('[AP50] folded ones hide what is below but count it', () => {
  const lines = taskLines([row(1, 0), row(2, 1), row(3, 2)], 'pid', new Set([1]))
  expect(pids(lines)).toEqual([1])
  expect(lines[0]?.totalMemoryBytes).toBe(6)
})

it('[AP51] whatever parents a device sends, every process is listed exactly once', () => {
  const pid = fc.integer({ min: 1, max: 12 })
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.record({ pid, parentPid: pid }), { selector: (one) => one.pid }),
      fc.constantFrom('cpu', 'memory', 'name', 'pid'),
      (list, sort) => {
        const lines = taskLines(
          list.map((one) => row(one.pid, one.parentPid)),
          sort,
          new Set(),
        )
        expect([...pids(lines)].sort((a, b) => a - b)).toEqual(list.map((one) => one.pid).sort((a, b) => a - b))
      },
    ),
  )
})

it.each([
  ['/usr/bin/node --flag x.js', 'node'],
  ['/opt/node --no-warnings /opt/elsewhere/dist/daemon/host.mjs --data /d', 'Elsewhere, host'],
  ['zsh', 'zsh'],
  ['', '(no name)'],
])('[AP50] "%s" is called %s', (command, name) => expect(taskName(command)).toBe(name))
