/** What of a list is shown now, and what of it is still to come. */
export interface Stage<Id> {
  readonly shown: ReadonlySet<Id>
  readonly missing: readonly Id[]
}

/**
 * A list that is shown a few at a time: the first at once, whatever was shown before; what is no longer wanted goes, except
 * the `kept` that were shown last.
 *
 * @param before  what was shown, in the order it came
 */
export function stageOf<Id>(wanted: readonly Id[], before: readonly Id[], kept: number): Stage<Id> {
  const [was, is] = [new Set(before), new Set(wanted)]
  const left = before.filter((id) => !is.has(id))
  const shown = new Set([...left.slice(Math.max(0, left.length - kept)), ...before.filter((id) => is.has(id)), ...wanted.slice(0, 1)])
  return { shown, missing: wanted.filter((id) => !was.has(id)) }
}

/** What is shown after the next step. */
export const nextStage = <Id>({ shown, missing }: Stage<Id>, step: number): readonly Id[] => [
  ...new Set([...shown, ...missing.slice(0, step)]),
]
