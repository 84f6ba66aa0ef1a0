import { mkdirSync } from 'node:fs'
import path from 'node:path'
import type { TestContext } from 'vitest'
import type { E2eDisplay } from './e2e-display.ts'

const FOLDER = path.resolve(import.meta.dirname, '../../e2e-out')

/** After a test that failed: what each display showed, as PNG under e2e-out/, what its page complained about, and its device's log. */
export async function keepEvidence({ task }: TestContext, displays: Readonly<Record<string, E2eDisplay | undefined>>): Promise<void> {
  if (task.result?.state !== 'fail') return
  mkdirSync(FOLDER, { recursive: true })
  for (const [name, display] of Object.entries(displays)) {
    if (!display) continue
    const file = path.join(FOLDER, `${task.name.replaceAll(/[^a-z0-9]+/gi, '-').slice(0, 60)}-${name}.png`)
    await display.screenshot(file).catch((error: unknown) => console.error(`no screenshot of ${name}: ${error}`))
    console.error(`${task.name}: ${name} is in ${file}`, display.problems.slice(-5))
    console.error(display.device.log())
  }
}
