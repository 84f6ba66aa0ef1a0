import type { Grant, GrantTarget } from './operation.ts'

/**
 * May `grant` be made from `parent`? The same thing or less: abilities, time, program, place and the right to pass it on
 * (rule ID61). Whom it is given to may differ.
 */
export function isNarrower(grant: Grant, parent: Grant): boolean {
  return (
    parent.mayDelegate &&
    isSameTarget(grant.target, parent.target) &&
    grant.abilities.every((ability) => parent.abilities.includes(ability)) &&
    (parent.program === undefined || parent.program === grant.program) &&
    (parent.on === undefined || parent.on === grant.on) &&
    (parent.untilMs === undefined || (grant.untilMs !== undefined && grant.untilMs <= parent.untilMs))
  )
}

function isSameTarget(a: GrantTarget, b: GrantTarget): boolean {
  switch (a.kind) {
    case 'dataset':
      return b.kind === 'dataset' && a.dataset === b.dataset
    case 'jobs':
      return b.kind === 'jobs' && a.jobClass === b.jobClass
    case 'port':
      return b.kind === 'port' && a.port === b.port
    case 'shell':
      return b.kind === 'shell'
  }
}
