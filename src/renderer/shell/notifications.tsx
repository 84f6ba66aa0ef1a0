import { BellOff, CircleX, Info, TriangleAlert, X } from 'lucide-react'
import { useEffect, useRef } from 'react'
import { dispatch, useSession } from '../desk/desk-store.ts'
import { type DeskMessage, isUnread, useMessages } from '../desk/messages-store.ts'
import { agoText } from '../screens/plain-time.ts'
import { useMinute } from '../screens/use-now.ts'
import { Button } from '../ui/button.tsx'
import { EmptyState } from '../ui/empty-state.tsx'
import { IconButton } from '../ui/icon-button.tsx'
import { showToast } from '../ui/toast.tsx'
import { setShell, useShell } from '../desk/shell-store.ts'
import { markRead, putAway, showAbout } from './message-actions.ts'
import './palette.css'

const ICON = { info: Info, warn: TriangleAlert, error: CircleX }

/** What happened without the person, newest first. Being read follows to the other displays. */
export function Notifications() {
  const open = useShell((state) => state.notificationsOpen)
  return open ? <Panel /> : null
}

function Panel() {
  const messages = useMessages((state) => state.messages)
  const marks = useSession((session) => session.notifications)
  const now = useMinute().getTime()
  const box = useRef<HTMLElement>(null)
  const close = () => setShell({ notificationsOpen: false })
  useEffect(() => {
    const before = document.activeElement
    box.current?.focus()
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus()
    }
  }, [])
  return (
    <section
      ref={box}
      className="messages"
      role="dialog"
      aria-label="Messages"
      tabIndex={-1}
      onKeyDown={(event) => event.key === 'Escape' && close()}
      onBlur={(event) => event.relatedTarget instanceof Node && !event.currentTarget.contains(event.relatedTarget) && close()}
    >
      <div className="messages-head">
        <h2>Messages</h2>
        {messages.length > 0 && (
          <Button
            variant="quiet"
            onClick={() => dispatch({ type: 'notifications/read-all', upToMs: Math.max(now, messages[0]?.atMs ?? 0) })}
          >
            Mark all as read
          </Button>
        )}
        <IconButton label="Close" shortcut="Escape" size="small" icon={<X aria-hidden="true" />} onClick={close} />
      </div>
      {messages.length === 0 ? (
        <EmptyState icon={<BellOff aria-hidden="true" />} title="Nothing to report">
          When a link is lost, a store is healed or a program ends, it says so here.
        </EmptyState>
      ) : (
        <ul tabIndex={0} aria-label="Messages, newest first">
          {messages.map((message) => (
            <Message
              key={message.id}
              message={message}
              unread={isUnread(message, marks)}
              now={now}
              onShow={() => {
                close()
                showAbout(message)
              }}
              onPutAway={() => {
                box.current?.focus() // the pressed button is gone
                putAway(message)
              }}
            />
          ))}
        </ul>
      )}
    </section>
  )
}

interface MessageProps {
  readonly message: DeskMessage
  readonly unread: boolean
  readonly now: number
  readonly onShow: () => void
  readonly onPutAway: () => void
}

/** One message: pressed, it is read; what it is about opens by its own button. */
function Message({ message, unread, now, onShow, onPutAway }: MessageProps) {
  const Icon = ICON[message.severity]
  return (
    <li className="message" data-severity={message.severity} data-unread={unread || undefined}>
      <button type="button" className="message-read" onClick={() => markRead(message)}>
        <Icon aria-hidden="true" />
        <strong>
          {unread && <span className="visually-hidden">New: </span>}
          {message.title}
        </strong>
        <time>{agoText(message.atMs, now)}</time>
        <span className="message-body">{message.body}</span>
      </button>
      <span className="message-actions">
        {message.about && (
          <Button variant="quiet" aria-label={`Show: ${message.title}`} onClick={onShow}>
            Show
          </Button>
        )}
        <IconButton label={`Put away: ${message.title}`} size="small" icon={<X aria-hidden="true" />} onClick={onPutAway} />
      </span>
    </li>
  )
}

/** Messages that come while nobody looks at the list are also said once. */
export function useMessageToasts(): void {
  useEffect(
    () =>
      useMessages.subscribe(({ messages }, before) => {
        const newest = messages[0]
        if (!newest || newest.quiet || newest === before.messages[0] || useShell.getState().notificationsOpen) return
        showToast({
          title: newest.title,
          body: newest.body,
          severity: newest.severity,
          ...(newest.about && { action: { label: 'Show', onSelect: () => showAbout(newest) } }),
        })
      }),
    [],
  )
}
