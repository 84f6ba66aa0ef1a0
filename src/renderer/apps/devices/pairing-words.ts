import type { PairingState } from '../../../sync/links-contract.ts'

/** What two sides want of each other: one becomes a device of the other's person, or two persons become contacts. */
export type PairingKind = 'device' | 'contact'

/** Everything a pairing says, for one kind. */
export interface PairingWords {
  /** In links of this kind. */
  readonly link: 'join' | 'contact'
  readonly region: string
  readonly begin: string
  readonly showHint: string
  readonly takeTitle: string
  readonly takeHint: string
  readonly take: string
  readonly meetHint: string
  readonly type: string
  readonly scan: string
  /** Over the camera's picture, and under it. */
  readonly scanTitle: string
  readonly scanHint: string
  /** The camera sees a link of the other kind. */
  readonly otherLink: string
  readonly copied: string
  readonly looking: string
  question(state: PairingState): string
  /** The two names. */
  names(state: PairingState): readonly [string, string]
  consequence(state: PairingState): string | undefined
  readonly afterwards: string
  readonly yes: string
  done(state: PairingState): string
  readonly failed: string
}

export const PAIRING_WORDS: Readonly<Record<PairingKind, PairingWords>> = {
  device: {
    link: 'join',
    region: 'Pairing',
    begin: 'Link another device',
    showHint: 'Then scan, paste or type it on the other device, in Devices or when it starts for the first time.',
    takeTitle: 'Use a code or link from there',
    takeHint: 'This device takes over the other’s desk; windows open here come along as an activity of their own.',
    take: 'Link',
    meetHint: 'The address of a rendezvous that both devices can reach.',
    type: 'Type this on the other device:',
    scan: 'Or scan this with it, or send it the link: it opens the same door, and is as good as the code.',
    scanTitle: 'Hold the other device’s code in front of the camera',
    scanHint: 'It shows one in Devices, under “Link another device”.',
    otherLink: 'That code makes two persons contacts. Scan it under Contacts.',
    copied: 'Paste it on the other device, under Devices.',
    looking: 'Looking for the other device…',
    question: ({ role, personName }) => (role === 'join' && personName ? `Join ${personName}’s devices?` : 'Is this your other device?'),
    names: ({ ownName = '', peerName = '' }) => [ownName, peerName],
    consequence: ({ role, personName, ownName, peerName }) =>
      personName && `${role === 'join' ? ownName : peerName} becomes a device of ${personName}.`,
    afterwards: 'Once linked, both show the same desk and reach each other’s files and terminals. You can remove either at any time.',
    yes: 'Yes, link them',
    done: ({ peerName }) => `${peerName ?? 'The other device'} is linked. Your desk is on both now.`,
    failed: 'They were not linked',
  },
  contact: {
    link: 'contact',
    region: 'Adding a contact',
    begin: 'Add a contact',
    showHint: 'Then the other person scans, pastes or types it, in Devices under Contacts.',
    takeTitle: 'Use a code or link from them',
    takeHint: 'It is good once. Take it from them yourself: whoever has it first could say they are that person.',
    take: 'Continue',
    meetHint: 'The address of a rendezvous that both of you can reach.',
    type: 'The other person types this:',
    scan: 'Or they scan this, or open the link you send them: it is as good as the code, and good once.',
    scanTitle: 'Hold their code in front of the camera',
    scanHint: 'They show one in Devices, under Contacts and “Add a contact”.',
    otherLink: 'That code makes a device one of somebody’s own. It adds no contact.',
    copied: 'The other person pastes it under Contacts.',
    looking: 'Looking for the other person’s device…',
    question: ({ personName }) => `Is this ${personName ?? 'the other person'}?`,
    names: ({ ownName = '', personName = '', deviceName }) => [ownName, deviceName ? `${personName} on ${deviceName}` : personName],
    consequence: () => 'Each of you sees the names of the other’s devices. Neither’s devices become the other’s.',
    afterwards: 'They may do nothing on your devices until you grant it. You can part at any time.',
    yes: 'Yes, add them',
    done: ({ personName }) => `${personName ?? 'The other person'} is a contact of yours now, and you are one of theirs.`,
    failed: 'You did not become contacts',
  },
}
