import type { Standing, Walk } from './classify-context.ts'
import { parseShell } from './shell-parse.ts'
import type { Verdict } from './verdict.ts'

/** A line inside a line: an alias, `sh -c`, a recipe. Long ones use up the walk's work as many commands would. */
export function followLine(line: string, standing: Standing, walk: Walk): Verdict {
  walk.budget.left -= line.length >> 9
  return walk.parts.script(parseShell(walk.budget.left < 0 ? '' : line), standing, walk)
}

/** Says through what it was reached. */
export const via = (through: string, verdict: Verdict): Verdict => ({
  ...verdict,
  reason: `${through.replaceAll('"', '')}: ${verdict.reason}`,
})
