import { expect, it } from 'vitest'
import { readTotals } from './test.ts'

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
        assertionResults: [
          { fullName: 'works', status: 'passed' },
          { fullName: 'needs root', status: 'skipped' },
        ],
      },
      { name: 'b', status: 'failed', assertionResults: [] },
    ],
  }
  expect(readTotals(report)).toEqual({ passed: 1, failed: 1, skipped: 1, skippedNames: ['needs root'] })
})
