import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { main as build } from './build.ts'
import { main as lint } from './lint.ts'
import { main as lockfile } from './lockfile.ts'
import { findProgram, isRoot, run } from './project.ts'
import { installNeeds, type Need } from './setup.ts'
import { main as types } from './types.ts'

/** What a vitest run found, read from its JSON report: never guessed from text. */
interface Totals {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly skippedNames: readonly string[]
  /** Files that took longest, and for how long. */
  readonly slowest: readonly string[]
  /** Tests that passed on another try only. */
  readonly shaky: readonly string[]
}

const SLOWEST_SHOWN = 5

interface VitestReport {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numFailedTestSuites: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly startTime: number
    readonly endTime: number
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[]
  }[]
}

/** What the retry reporter said among everything else that was printed. */
export const readShaky = (output: string): readonly string[] => output.match(/^shaky: .*/gm) ?? []

export function readTotals(report: VitestReport): Omit<Totals, 'shaky'> {
  const assertions = report.testResults.flatMap(({ assertionResults }) => assertionResults)
  // A file that could not be loaded has no assertions: it still counts as a failure.
  const brokenFiles = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((a) => a.status === 'failed'),
  )
  const skipped = assertions.filter(
    ({ status }) => status === 'skipped' || status === 'pending' || status === 'todo' || status === 'disabled',
  )
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + brokenFiles.length,
    skipped: skipped.length,
    skippedNames: skipped.map(({ fullName }) => fullName),
    slowest: report.testResults
      .map(({ name, startTime, endTime }) => ({ name: path.basename(name), tookMs: endTime - startTime }))
      .sort((a, b) => b.tookMs - a.tookMs)
      .slice(0, SLOWEST_SHOWN)
      .map(({ name, tookMs }) => `${name} ${(tookMs / 1000).toFixed(0)} s`),
  }
}

/**
 * What may not be left out in CI as root on Debian, where everything can be had: programs that are still missing, and tests
 * that were skipped because no network namespaces, mounts or sandboxes could be made (their names say so).
 */
export function notToBeSkipped(missing: readonly Need[], skippedNames: readonly string[]): readonly string[] {
  const programs = missing.filter(({ mayLack }) => !mayLack).map(({ what }) => `${what} is missing`)
  return [
    ...programs,
    ...skippedNames
      .filter((name) => name.includes('network namespaces') || name.includes('with mounts') || name.includes('no sandbox'))
      .map((name) => `skipped: ${name}`),
  ]
}

async function vitest(project: string, folder: string): Promise<Totals> {
  const file = path.join(folder, `${project}.json`)
  const result = await run(
    'vitest',
    [
      'run',
      '--project',
      project,
      '--reporter=dot',
      '--reporter=./scripts/retry-reporter.ts',
      '--reporter=json',
      `--outputFile.json=${file}`,
    ],
    {
      show: true,
    },
  )
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (text === undefined) return { passed: 0, failed: 1, skipped: 0, skippedNames: [], slowest: [], shaky: [] }
  const totals = { ...readTotals(JSON.parse(text)), shaky: readShaky(result.output) }
  // Vitest also fails on errors outside any test (an unhandled rejection): never lose that.
  return result.code !== 0 && totals.failed === 0 ? { ...totals, failed: 1 } : totals
}

/**
 * Everything: types, lint, layers, lockfile, build, unit, world (whole devices in memory), integration and end-to-end tests.
 *
 * Ends with `N passed, N failed, N skipped`; a static check counts as one test. What was skipped is named. On Debian as
 * root with CI set, a skip of namespaces, mounts or Chromium is a failure.
 */
export async function main(args: readonly string[]): Promise<number> {
  const startedMs = performance.now()
  const missing = await installNeeds()
  const folder = await mkdtemp(path.join(os.tmpdir(), 'elsewhere-test-'))
  let passed = 0
  let failed = 0
  let skipped = 0
  const skippedNames: string[] = []
  const shaky: string[] = []
  const steps = { types, lint, lockfile, build: () => build([]) }
  const codes = await Promise.all(
    Object.entries(steps).map(async ([name, step]) => {
      const code = await step().catch((error: unknown) => {
        console.error(error)
        return 1
      })
      return { name, code }
    }),
  )
  for (const { name, code } of codes) {
    if (code === 0) passed++
    else {
      failed++
      console.log(`${name}: failed`)
    }
  }
  const projects = args.length > 0 ? args : ['unit', 'world', 'integration', 'e2e']
  for (const project of projects) {
    const projectStartedMs = performance.now()
    const totals = await vitest(project, folder)
    console.log(
      `${project}: ${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped (${((performance.now() - projectStartedMs) / 1000).toFixed(0)} s)`,
    )
    console.log(`${project}, what took longest: ${totals.slowest.join(', ')}`)
    passed += totals.passed
    failed += totals.failed
    skipped += totals.skipped
    skippedNames.push(...totals.skippedNames)
    shaky.push(...totals.shaky)
  }
  await rm(folder, { recursive: true, force: true })
  for (const line of shaky) console.log(line)
  for (const name of skippedNames) console.log(`skipped: ${name}`)
  if (missing.length > 0) console.log(`missing on this machine: ${missing.map(({ what }) => what).join(', ')}`)
  if (process.env.CI && isRoot() && findProgram('apt-get')) {
    const wrong = notToBeSkipped(missing, skippedNames)
    for (const reason of wrong) console.log(`failed, for in CI as root nothing of this may be left out: ${reason}`)
    failed += wrong.length
  }
  console.log(`took ${((performance.now() - startedMs) / 60_000).toFixed(1)} minutes`)
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
  return failed === 0 && passed > 0 ? 0 : 1
}
