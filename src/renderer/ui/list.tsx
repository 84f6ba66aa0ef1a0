import type { ComponentProps, KeyboardEvent, ReactNode } from 'react'
import { joinClasses } from './join-classes.ts'
import './list.css'

/** Rows of one kind. Arrow keys, Home and End move between rows that can take focus. */
export function List({ className, ...rest }: ComponentProps<'ul'> & { 'aria-label': string }) {
  return <ul {...rest} className={joinClasses('ui-list', className)} onKeyDown={rest.onKeyDown ?? moveFocus} />
}

/** One row: icon, title, quiet second line, and what belongs to it on the right. With `onOpen` it is a button. */
export function ListRow(props: {
  icon?: ReactNode
  title: ReactNode
  detail?: ReactNode
  trailing?: ReactNode
  selected?: boolean
  onOpen?: () => void
  onContextMenu?: ComponentProps<'li'>['onContextMenu']
}) {
  const text = (
    <>
      {props.icon && <span className="ui-row-icon">{props.icon}</span>}
      <span className="ui-row-text">
        <span className="ui-row-title">{props.title}</span>
        {props.detail && <span className="ui-row-detail">{props.detail}</span>}
      </span>
    </>
  )
  return (
    <li className="ui-row" data-selected={props.selected || undefined} onContextMenu={props.onContextMenu}>
      {props.onOpen ? (
        <button type="button" className="ui-row-main" data-row="" aria-current={props.selected || undefined} onClick={props.onOpen}>
          {text}
        </button>
      ) : (
        <div className="ui-row-main">{text}</div>
      )}
      {props.trailing && <span className="ui-row-trailing">{props.trailing}</span>}
    </li>
  )
}

function moveFocus(event: KeyboardEvent<HTMLUListElement>): void {
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-row]')]
  const at = rows.indexOf(document.activeElement as HTMLElement)
  if (at < 0) return
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key]
  if (next === undefined || !rows[next]) return
  event.preventDefault()
  rows[next].focus()
}
