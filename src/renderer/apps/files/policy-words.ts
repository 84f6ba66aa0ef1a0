import type { PolicyState } from '../../../files/dataset-contract.ts'
import { countText } from '../plain-words.ts'

const names = (devices: readonly { readonly name: string }[]) => devices.map(({ name }) => name).join(', ')

/** Why what is not safe cannot be now (rule AP148): `2 devices are needed, 1 is there`; undefined: it only takes its time. */
export function policyTrouble({ copies, unmet }: PolicyState): string | undefined {
  if (!unmet) return undefined
  if (unmet.why === 'too-few') return `${countText(copies, 'other device is', 'other devices are')} needed, ${unmet.has} there`
  if (unmet.why === 'left') return `${names(unmet.devices)} left your devices`
  return `${names(unmet.devices)} is not linked`
}
