import { type KeyboardEvent, type ReactNode, useRef } from 'react'
import './field.css'

/** One of a few, all in sight. Arrow keys move and choose, as in any radio group. */
export function Segmented<Value extends string>(props: {
  label: string
  value: Value
  options: readonly { readonly value: Value; readonly label: string; readonly icon?: ReactNode }[]
  onChange: (value: Value) => void
}) {
  const group = useRef<HTMLDivElement>(null)
  const handleKey = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key]
    if (step === undefined) return
    event.preventDefault()
    const at = props.options.findIndex((option) => option.value === props.value)
    const next = (at + step + props.options.length) % props.options.length
    const option = props.options[next]
    if (!option) return
    props.onChange(option.value)
    group.current?.querySelectorAll('button')[next]?.focus()
  }
  return (
    <div ref={group} className="ui-segmented" role="radiogroup" aria-label={props.label} onKeyDown={handleKey}>
      {props.options.map((option) => (
        <button
          key={option.value}
          type="button"
          role="radio"
          aria-checked={option.value === props.value}
          tabIndex={option.value === props.value ? 0 : -1}
          onClick={() => props.onChange(option.value)}
        >
          {option.icon}
          {option.label}
        </button>
      ))}
    </div>
  )
}
