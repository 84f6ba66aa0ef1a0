import { type ComponentProps, type ReactNode, useId } from 'react'
import { joinClasses } from './join-classes.ts'
import './field.css'

export interface FieldProps extends ComponentProps<'input'> {
  label: string
  /** Hides the label from eyes only; the place must then make it plain. */
  labelHidden?: boolean
  hint?: ReactNode
  /** What is wrong and what to do; announced when it appears. */
  error?: string | undefined
  /** Sits inside the field on the right, e.g. a button. */
  trailing?: ReactNode
}

/** One line of text with its label, hint and error tied to it. */
export function Field({ label, labelHidden, hint, error, trailing, className, id, ...input }: FieldProps) {
  const ownId = useId()
  const inputId = id ?? ownId
  const note = error ?? hint
  return (
    <div className={joinClasses('ui-field', className)}>
      <label htmlFor={inputId} className={labelHidden ? 'visually-hidden' : undefined}>
        {label}
      </label>
      <div className="ui-field-box" data-invalid={error ? '' : undefined}>
        <input
          autoComplete="off"
          spellCheck={false}
          {...input}
          id={inputId}
          aria-invalid={error ? true : undefined}
          aria-describedby={note ? `${inputId}-note` : undefined}
        />
        {trailing}
      </div>
      {note && (
        <div className="ui-field-note" id={`${inputId}-note`} role={error ? 'alert' : undefined} data-error={error ? '' : undefined}>
          {note}
        </div>
      )}
    </div>
  )
}
