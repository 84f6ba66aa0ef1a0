import type { Reporter, TestCase } from 'vitest/node'

/** Characters of what failed first that are shown. */
const SHOWN = 300

/** Names every test that passed only on another try, and what failed before: a retry must never hide that something is shaky. */
export default class RetryReporter implements Reporter {
  onTestCaseResult(test: TestCase): void {
    const tries = test.diagnostic()?.retryCount ?? 0
    const result = test.result()
    if (tries === 0 || result.state !== 'passed') return
    const first = result.errors?.[0]?.message?.replace(/\s+/g, ' ').slice(0, SHOWN)
    console.log(`\nshaky: ${test.fullName} passed on try ${tries + 1}${first === undefined ? '' : `; before: ${first}`}`)
  }
}
