import { useEffect, useState } from 'react'

const MINUTE_MS = 60_000

/** The time, renewed at each full minute: one timer, no ticking in between. */
export function useMinute(): Date {
  const [now, setNow] = useState(() => new Date())
  useEffect(() => {
    const timer = setTimeout(() => setNow(new Date()), MINUTE_MS - (Date.now() % MINUTE_MS) + 50)
    return () => clearTimeout(timer)
  }, [now])
  return now
}
