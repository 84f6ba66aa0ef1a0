import { useEffect, useState } from 'react'

const MINUTE_MS = 60_000

/** The time, renewed at each full minute: one timer, no ticking in between. */
export function useMinute(): Date {
  const [now, setNow] = useState(() => new Date())
  useEffect(() => {
    let timer = 0
    const renew = () => {
      setNow(new Date())
      timer = window.setTimeout(renew, MINUTE_MS - (Date.now() % MINUTE_MS) + 50)
    }
    timer = window.setTimeout(renew, MINUTE_MS - (Date.now() % MINUTE_MS) + 50)
    return () => clearTimeout(timer)
  }, [])
  return now
}
