// Sets theme and motion before the first paint, so that a dark desk never flashes white. A file: the policy allows no inline script.
;(() => {
  const root = document.documentElement
  let saved = null
  try {
    saved = localStorage.getItem('elsewhere.look')
  } catch {
    // Storage is refused (private window): the system's wish it is.
  }
  let look = {}
  try {
    look = JSON.parse(saved ?? '{}') ?? {}
  } catch {
    look = {}
  }
  const dark = look.theme === 'dark' || (look.theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  root.dataset.theme = dark ? 'dark' : 'light'
  const still = look.motion === 'on' || (look.motion !== 'off' && matchMedia('(prefers-reduced-motion: reduce)').matches)
  root.dataset.motion = still ? 'reduced' : 'full'
  if (Number.isInteger(look.hue)) root.dataset.hue = String(look.hue)
})()
