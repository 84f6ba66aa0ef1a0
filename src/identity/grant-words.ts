import type { DeviceId } from '../base/ids.ts'
import type { Grant, GrantTarget } from './authority/operation.ts'
import { ABILITIES, type Ability } from './grant-check.ts'
import { ANY_JOB_CLASS } from './log-grant-check.ts'

/**
 * A grant as a person reads it, without its time: "phone may run programs in a shell on server". A grant to a program is one to
 * whatever that program runs, an interpreter or a build tool above all, and says so.
 *
 * @param contact  what the person it was given to is called, where that is another person
 */
export function grantSentence(grant: Grant, nameOf: (device: DeviceId) => string, contact?: string): string {
  const { device, program, on, target, abilities, mayDelegate } = grant
  const who = contact === undefined ? ownWords(grant, nameOf) : device === undefined ? contact : `${contact}, on ${nameOf(device)},`
  const subject = program === undefined ? who : `The program ${shortProgram(program)}, and anything it runs, on ${who}`
  const acts = abilities.map((ability) => (Object.hasOwn(ABILITIES, ability) ? ABILITIES[ability as Ability] : ability))
  const place = on === undefined ? 'on each of your devices' : `on ${nameOf(on)}`
  const pass = mayDelegate ? ', and may pass this on' : ''
  return `${subject} may ${listed(acts)}${aboutWords(target)} ${place}${pass}`
}

const ownWords = ({ device, program }: Grant, nameOf: (device: DeviceId) => string): string =>
  device === undefined ? (program === undefined ? 'Any of your devices' : 'any of your devices') : nameOf(device)

const shortProgram = (program: string): string => (program.length > 24 ? `${program.slice(0, 19)}…` : program)

function aboutWords(target: GrantTarget): string {
  switch (target.kind) {
    case 'dataset':
      return ` of the dataset ${target.dataset.slice(0, 8)}…`
    case 'jobs':
      return target.jobClass === ANY_JOB_CLASS ? '' : ` of the class ${target.jobClass}`
    case 'port':
      return ` (port ${target.port})`
    case 'shell':
      return ''
  }
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}
