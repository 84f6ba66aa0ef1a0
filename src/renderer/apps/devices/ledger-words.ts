import type { LedgerFault } from '../../../identity/ledger-contract.ts'

export const FILTERS = [
  { value: 'all', label: 'All' },
  { value: 'links', label: 'Links' },
  { value: 'devices', label: 'Devices' },
  { value: 'access', label: 'Access' },
  { value: 'anchors', label: 'Anchors' },
] as const
export type LedgerFilter = (typeof FILTERS)[number]['value']

const KINDS: Readonly<Record<Exclude<LedgerFilter, 'all'>, readonly string[]>> = {
  links: ['linked', 'unlinked'],
  devices: ['device-added', 'device-removed', 'role-changed', 'contact-added', 'contact-removed'],
  access: [
    ...['granted', 'revoked', 'port-shared', 'port-closed', 'port-opened', 'port-ended'],
    ...['shell-opened', 'shell-ended', 'shell-entered', 'shell-left', 'jobs-begun', 'jobs-ended'],
  ],
  anchors: ['anchored'],
}

export const passes = (filter: LedgerFilter, kind: string): boolean => filter === 'all' || KINDS[filter].includes(kind)

const FAULTS: Readonly<Record<LedgerFault, string>> = {
  edited: 'was changed after this device signed it',
  broken: 'is missing, doubled or out of its place',
  truncated: 'and what came after it are gone',
  'false-anchor': 'is where an anchor ends that does not hold',
  'lost-anchor': 'and others may be gone: the network holds an anchor that this device no longer knows',
  rewritten: 'belongs to another history than the one that was witnessed',
}

export interface LedgerVerdict {
  readonly count: number
  /** How many anchors it was held against. */
  readonly anchors: number
  readonly finding?: { readonly fault: LedgerFault; readonly at: number } | undefined
}

/** What a check found, as a person reads it. `network`: whether the network was asked for the anchors, too. */
export function verdictText({ count, anchors, finding }: LedgerVerdict, network: 'asked' | 'silent' | 'none'): string {
  if (finding) return `Entry ${finding.at} ${FAULTS[finding.fault]}.`
  const entries = count === 1 ? 'The one entry is as it was written' : `All ${count} entries are as they were written`
  if (anchors === 0) return `${entries}.`
  const said = anchors === 1 ? 'as the anchor says' : `as ${anchors} anchors say`
  return `${entries}, and ${said}${{ asked: ', which the network holds.', silent: '. The network could not be asked.', none: '.' }[network]}`
}
