import type { DeviceId, PersonId } from '../../base/ids.ts'
import type { GrantState } from '../../identity/authority/authority-state.ts'
import type { ProgramId } from '../../identity/authority/program-id.ts'
import type { GrantCheck, GrantQuestion } from '../../identity/grant-check.ts'
import { ANY_JOB_CLASS } from '../../identity/log-grant-check.ts'
import { MAX_PUBLISHER_IDS } from '../../identity/programs/program-releases.ts'
import type { AttemptRequest } from '../../jobs/attempt-contract.ts'
import { classify } from '../../jobs/classify/classify.ts'
import type { ProgramRight, ProgramRights } from '../../jobs/program-rights-contract.ts'
import type { FilesClient, ProcessConnection } from '../device-parts.ts'

export interface ProgramRightsParts {
  /** Who asks. */
  readonly device: DeviceId
  readonly grants: Pick<GrantCheck, 'allows' | 'jobGrants'>
  /** The contact whose device it is: nothing runs by its role, and nothing outside of a sandbox. Undefined: it is the person's own. */
  readonly contact?: PersonId
  readonly files: Pick<ProcessConnection<Pick<FilesClient, 'mountStatus'>>, 'client'>
  /** What a grant to it means here: itself, or what a publisher released. */
  idsOf(program: ProgramId): readonly string[]
}

const MAX_RIGHTS = 256

/**
 * What grants give one job of that device, for the host that runs it (rules JB91-JB93). Undefined: they say nothing about its jobs,
 * and its role alone counts.
 */
export async function programRightsOf(
  request: Pick<AttemptRequest, 'program' | 'arguments' | 'home'>,
  { device, grants, files, contact, idsOf }: ProgramRightsParts,
): Promise<ProgramRights | undefined> {
  const held = grants.jobGrants(device).slice(0, MAX_RIGHTS)
  const needed = contact !== undefined || !grants.allows({ device, ability: 'jobs:run' })
  if (held.length === 0 && contact === undefined) return undefined
  const jobClass = jobClassOf(request)
  const wantsFolders = held.some(({ grant }) => grant.target.kind === 'dataset')
  const mount = wantsFolders ? await (await files.client()).mountStatus({}) : undefined
  const rights = held.flatMap(({ id, grant: { program, target, abilities } }): ProgramRight[] => {
    const right = { grant: id, ...(program !== undefined && { ids: [...idsOf(program)].slice(0, MAX_PUBLISHER_IDS) }), runs: false }
    if (target.kind === 'jobs') {
      const isOfClass = target.jobClass === ANY_JOB_CLASS || target.jobClass === jobClass
      return abilities.includes('jobs:run') && isOfClass ? [{ ...right, runs: true }] : []
    }
    const name = mount?.folders?.find(({ dataset }) => target.kind === 'dataset' && dataset === target.dataset)?.name
    if (!mount || !name || program === undefined) return []
    const mayWrite = abilities.includes('files:write')
    if (!mayWrite && !abilities.includes('files:read')) return []
    const at = `Elsewhere/${name}`
    return [{ ...right, folder: { hostPath: `${mount.at}/${name}`, path: `${request.home.replace(/\/+$/, '')}/${at}`, mayWrite } }]
  })
  return { needed, rights }
}

/** What must stay allowed for that right to hold; undefined: it is granted no more. */
export function questionOf(right: Pick<ProgramRight, 'grant'>, { device, grants }: ProgramRightsParts): GrantQuestion | undefined {
  const held: GrantState | undefined = grants.jobGrants(device).find(({ id }) => id === right.grant)
  if (!held) return undefined
  const { program, target, abilities } = held.grant
  const by = { device, ...(program !== undefined && { program }) }
  if (target.kind === 'jobs') return { ...by, ability: 'jobs:run', jobClass: target.jobClass }
  if (target.kind !== 'dataset') return undefined
  return { ...by, ability: abilities.includes('files:write') ? 'files:write' : 'files:read', dataset: target.dataset }
}

/** What this device takes the line to be: the asker is not asked. */
function jobClassOf({ program, arguments: words }: Pick<AttemptRequest, 'program' | 'arguments'>): string {
  const [option, line] = words
  const isLine = /^(\/bin\/)?sh$/.test(program) && option === '-c' && line !== undefined && words.length === 2
  return classify(isLine ? line : [program, ...words].join(' ')).label
}
