import type { Reporter, TestCase } from 'vitest/node'

/** Names every test that passed only on another try: a retry must never hide that something is shaky. */
export default class RetryReporter implements Reporter {
  onTestCaseResult(test: TestCase): void {
    const tries = test.diagnostic()?.retryCount ?? 0
    if (tries > 0 && test.result().state === 'passed') console.log(`\nshaky: ${test.fullName} passed on try ${tries + 1}`)
  }
}
