import type { ComponentProps, ReactNode } from 'react'
import { joinClasses } from './join-classes.ts'
import { Spinner } from './spinner.tsx'
import './button.css'

export interface ButtonProps extends ComponentProps<'button'> {
  /** `primary`: the one action of a place. `quiet`: no edge until hovered. */
  variant?: 'primary' | 'secondary' | 'quiet' | 'danger'
  size?: 'normal' | 'large'
  icon?: ReactNode
  /** Work goes on: shows a spinner, takes no second press, keeps focus. */
  busy?: boolean
}

/** A labelled action. Always `type=button` unless told: a button never sends a form by accident. */
export function Button({ variant = 'secondary', size = 'normal', icon, busy, className, children, onClick, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      className={joinClasses('ui-button', className)}
      data-variant={variant}
      data-size={size}
      aria-busy={busy || undefined}
      aria-disabled={busy || rest['aria-disabled']}
      onClick={busy ? (event) => event.preventDefault() : onClick}
    >
      {busy ? <Spinner /> : icon}
      {children}
    </button>
  )
}
