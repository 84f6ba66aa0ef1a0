import { Switch as BaseSwitch } from '@base-ui/react/switch'
import { useId } from 'react'
import './field.css'

/** A setting that acts at once. The whole row is its label. */
export function Switch(props: {
  label: string
  hint?: string
  checked: boolean
  disabled?: boolean
  onChange: (checked: boolean) => void
}) {
  const id = useId()
  return (
    <label className="ui-switch-row" htmlFor={id}>
      <span>
        <span>{props.label}</span>
        {props.hint && <span className="ui-switch-hint">{props.hint}</span>}
      </span>
      <BaseSwitch.Root
        id={id}
        className="ui-switch"
        aria-label={props.label}
        checked={props.checked}
        disabled={props.disabled ?? false}
        onCheckedChange={props.onChange}
      >
        <BaseSwitch.Thumb className="ui-switch-thumb" />
      </BaseSwitch.Root>
    </label>
  )
}
