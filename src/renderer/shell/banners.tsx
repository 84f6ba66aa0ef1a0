import { CloudOff, LockOpen, MonitorUp, TriangleAlert, X } from 'lucide-react'
import { useEffect, useState } from 'react'
import { errorWords } from '../ui/error-words.ts'
import { placeOf, unconfirmedWords } from '../screens/seat-words.ts'
import { IconButton } from '../ui/icon-button.tsx'
import { useDesk, useSession } from '../desk/desk-store.ts'
import { useDoor } from '../desk/door-store.ts'
import { useSeat } from '../desk/seat-store.ts'
import { clockText } from '../screens/plain-time.ts'
import { Button } from '../ui/button.tsx'
import { showToast } from '../ui/toast.tsx'

/** A device that comes back within this is not worth a word. */
const AWAY_GRACE_MS = 1_500
/** Displays that can be reached lock within a second: only what takes longer is worth a line. */
const UNCONFIRMED_GRACE_MS = 2_500

/** What must be known while working, across the top of the desk: never over a window, never in the way of one. */
export function Banners() {
  return (
    <div className="banners">
      <SeatQuestionBanner />
      <AwayBanner />
      <ReadOnlyBanner />
      <NoticeBanners />
      <UnconfirmedBanner />
    </div>
  )
}

const NOTHING: readonly never[] = []

/** What keeps the device from working as it should, while it stands: a full disk, a copied data folder. */
function NoticeBanners() {
  const notices = useDoor((state) => state.door?.notices ?? NOTHING)
  const client = useDoor((state) => state.client)
  const act = (code: string) =>
    client?.actOnNotice({ code }).catch((error: unknown) => {
      showToast({ title: 'That could not be done', body: errorWords(error), severity: 'warn' })
    })
  return notices
    .filter(({ severity }) => severity !== 'info')
    .map(({ code, message, action }) => (
      <div key={code} className="banner" role="status" data-notice={code}>
        <TriangleAlert aria-hidden="true" />
        <span>{message}</span>
        {action !== undefined && (
          <Button variant="primary" onClick={() => void act(code)}>
            {action}
          </Button>
        )}
      </div>
    ))
}

function ReadOnlyBanner() {
  const readOnly = useSession((session) => session.readOnly)
  if (!readOnly) return null
  return (
    <div className="banner" role="status">
      <TriangleAlert aria-hidden="true" />
      This desk was last changed by a newer Elsewhere. You can look but not change it here: update Elsewhere on this device.
    </div>
  )
}

function AwayBanner() {
  const away = useDoor((state) => state.link !== 'open')
  return away ? <AwayNote /> : null
}

function AwayNote() {
  const unsent = useDesk((state) => state.unsent)
  const [shown, setShown] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), AWAY_GRACE_MS)
    return () => clearTimeout(timer)
  }, [])
  if (!shown) return null
  return (
    <div className="banner" data-meaning="moving" role="status">
      <CloudOff aria-hidden="true" />
      The device process on this machine is not answering.{' '}
      {unsent ? 'Your changes are kept in this window until it is back; leave it open.' : 'The desk reconnects by itself.'}
    </div>
  )
}

/** After the seat came here: who has not locked yet. It goes by itself, or is put away for this move (rule AP74). */
function UnconfirmedBanner() {
  const door = useDoor((state) => state.door)
  const [putAway, setPutAway] = useState<number>()
  const seat = door?.seat
  // Where the seat is elsewhere, this display is itself one that has not followed.
  const words = seat && seat.device === door.deviceId ? unconfirmedWords(seat, door.deviceName) : undefined
  if (words === undefined || seat?.counter === putAway) return null
  return <UnconfirmedNote words={words} onPutAway={() => setPutAway(seat?.counter)} />
}

function UnconfirmedNote({ words, onPutAway }: { words: string; onPutAway: () => void }) {
  const [shown, setShown] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), UNCONFIRMED_GRACE_MS)
    return () => clearTimeout(timer)
  }, [])
  if (!shown) return null
  return (
    <div className="banner" role="status">
      <LockOpen aria-hidden="true" />
      <span>{words}</span>
      <IconButton label="Put away" size="small" icon={<X aria-hidden="true" />} onClick={onPutAway} />
    </div>
  )
}

/** "You also unlocked on X": asked after a cut, answered by the clock if by nobody. */
function SeatQuestionBanner() {
  const question = useSeat((state) => state.question)
  const client = useDoor((state) => state.client)
  const deviceName = useDesk((state) => state.deviceName)
  const [left, setLeft] = useState(0)
  useEffect(() => {
    if (!question) return
    const count = () => setLeft(Math.max(0, Math.ceil((question.locksAtMs - Date.now()) / 1000)))
    count()
    const timer = setInterval(count, 1000)
    return () => clearInterval(timer)
  }, [question])
  if (!question) return null
  const answer = (choice: 'stay' | 'lock') => {
    client?.answerSeatQuestion({ answer: choice }).then(
      () => useSeat.setState({ question: undefined }),
      (error: unknown) => showToast({ title: 'The answer did not arrive', body: errorWords(error), severity: 'warn' }),
    )
  }
  return (
    <div className="banner" role="alertdialog" aria-label="You also unlocked elsewhere">
      <MonitorUp aria-hidden="true" />
      <span>
        You also unlocked on {placeOf(question.displayName, deviceName)} at {clockText(new Date(question.atMs))}. This display locks in{' '}
        <span className="numbers">{left}</span> s.
      </span>
      <Button onClick={() => answer('lock')}>Lock here</Button>
      <Button variant="primary" onClick={() => answer('stay')}>
        Stay here
      </Button>
    </div>
  )
}
