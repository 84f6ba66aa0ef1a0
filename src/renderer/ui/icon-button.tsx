import type { ComponentProps, ReactNode } from 'react'
import { joinClasses } from './join-classes.ts'
import { ariaShortcut } from './shortcut-text.ts'
import './button.css'

export interface IconButtonProps extends Omit<ComponentProps<'button'>, 'children'> {
  /** What it does: its accessible name and its tooltip. */
  label: string
  icon: ReactNode
  /** A key binding such as `Ctrl+K`; shown in the tooltip. */
  shortcut?: string | undefined
  size?: 'normal' | 'small'
  danger?: boolean
}

/** An action without words. The tooltip comes from the one TipLayer of the page, so a button costs one element. */
export function IconButton({ label, icon, shortcut, size = 'normal', danger, className, ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      className={joinClasses('ui-icon-button', className)}
      data-size={size}
      data-danger={danger || undefined}
      data-tip={label}
      data-tip-keys={shortcut}
      aria-label={label}
      aria-keyshortcuts={shortcut ? ariaShortcut(shortcut) : undefined}
    >
      {icon}
    </button>
  )
}
