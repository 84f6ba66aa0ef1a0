import type { DoorState } from '../../device/desk/desk-contract.ts'

/** Why this device is locked and what waits for it, a sentence each (rule AP75); nothing unless its keys are closed. */
export function sealedWords({ phase, deviceName, sealedBecause = 'started', stopped = [] }: DoorState): readonly string[] {
  if (phase !== 'sealed') return []
  switch (sealedBecause) {
    case 'started':
      return [`${deviceName} has restarted: its links and terminals elsewhere wait until you unlock it.`]
    case 'asked':
      return [`You locked ${deviceName}.`, ...stopped]
    case 'slept':
      return [`${deviceName} locked when its machine slept.`, ...stopped]
    case 'failed':
      return [`${deviceName} could not open your desk.`]
    case 'removed':
      return [`${deviceName} is no longer one of your devices: it is linked to none of them, and only its passphrase opens it.`, ...stopped]
  }
}
