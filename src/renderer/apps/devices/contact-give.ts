import type { GrantInput } from '../../../identity/grants-contract.ts'

/** What another person can be given from the screen, besides a shell, which has a question of its own. */
export const CONTACT_GIFTS = [
  { value: 'port', label: 'Reach a port' },
  { value: 'read', label: 'Read Home' },
  { value: 'change', label: 'Read and change Home' },
  { value: 'jobs', label: 'Run jobs' },
] as const
export type ContactGift = (typeof CONTACT_GIFTS)[number]['value']

export interface ContactGiving {
  readonly person: string
  readonly name: string
  readonly gift: ContactGift
  /** As it was typed. */
  readonly port: string
  /** On one device of mine, or on each. */
  readonly on: { readonly deviceId: string; readonly name: string } | undefined
  /** The dataset Home, once the device has told it. */
  readonly home: string | undefined
  readonly untilMs: number | undefined
}

/** The grant as it will be written; a sentence says what is missing. */
export function contactGrant({ person, gift, port, on, home, untilMs }: ContactGiving): GrantInput | string {
  const rest = { contact: person, mayDelegate: false, ...(on && { on: on.deviceId }), ...(untilMs !== undefined && { untilMs }) }
  if (gift === 'jobs') return { ...rest, target: { kind: 'jobs', jobClass: 'any' }, abilities: ['jobs:run'] }
  if (gift === 'port') {
    if (!/^\d{1,5}$/.test(port.trim()) || Number(port) < 1 || Number(port) > 65_535) return 'A port is a number from 1 to 65535.'
    return { ...rest, target: { kind: 'port', port: Number(port) }, abilities: ['ports:share'] }
  }
  if (home === undefined) return 'Your files are not open on this device yet. Try again in a moment.'
  const abilities = gift === 'read' ? ['files:read'] : ['files:read', 'files:write']
  return { ...rest, target: { kind: 'dataset', dataset: home }, abilities }
}

/** What it means, before it is given: "Bob may run jobs on laptop: ...". */
export function contactGiftSentence({ name, gift, port, on }: Omit<ContactGiving, 'person' | 'home' | 'untilMs'>): string {
  const place = on === undefined ? 'each of your devices' : on.name
  const through = on === undefined ? 'any of your devices that is on' : on.name
  switch (gift) {
    case 'port':
      return `${name} may reach port ${port.trim() || '…'} of jobs on ${place}, and whatever answers there.`
    case 'read':
      return `${name} may read everything in Home, as it is now and as it changes, through ${through}. What they have read, they have.`
    case 'change':
      return `${name} may read and change everything in Home through ${through}. What they remove is in its trash, what they change in its history.`
    case 'jobs':
      return `${name} may run jobs on ${place}: in the sandbox, in a copy of their own folder, without the network, up to its limits.`
  }
}
