import { expect, it } from 'vitest'
import { NEEDS } from './setup.ts'
import { notToBeSkipped, readShaky, readTotals } from './test.ts'

it('a file that could not be loaded counts as failed, and a skip is named', () => {
  const report = {
    numPassedTests: 1,
    numFailedTests: 0,
    numFailedTestSuites: 1,
    numPendingTests: 1,
    numTodoTests: 0,
    testResults: [
      {
        name: 'a',
        status: 'passed',
        startTime: 1_000,
        endTime: 3_400,
        assertionResults: [
          { fullName: 'works', status: 'passed' },
          { fullName: 'needs root', status: 'skipped' },
        ],
      },
      { name: 'b', status: 'failed', startTime: 1_000, endTime: 6_000, assertionResults: [] },
    ],
  }
  expect(readTotals(report)).toEqual({ passed: 1, failed: 1, skipped: 1, skippedNames: ['needs root'], slowest: ['b 5 s', 'a 2 s'] })
})

it('in CI as root on Debian a missing Chromium and a skip for want of namespaces or mounts are failures; a missing shell or Electron is none', () => {
  const missing = NEEDS.filter(({ what }) => what === 'a Chromium' || what === 'fish')
  expect(missing).toHaveLength(2)
  const skipped = [
    'the desk follows its person (network namespaces cannot be made here (EPERM)) works',
    'with mounts (cannot be made here: there is no /dev/fuse) reads',
    'a real Electron (its binary is not in place: has never run in one) opens the desk',
  ]
  expect(notToBeSkipped(missing, skipped)).toEqual(['a Chromium is missing', `skipped: ${skipped[0]}`, `skipped: ${skipped[1]}`])
  expect(notToBeSkipped([], skipped.slice(2))).toEqual([])
})

it('a test that needed a second try is named, wherever it was said', () => {
  expect(readShaky('··\nshaky: [SY69] hears passed on try 2\n··x\n')).toEqual(['shaky: [SY69] hears passed on try 2'])
  expect(readShaky('···')).toEqual([])
})
