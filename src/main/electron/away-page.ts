import type { Protocol } from 'electron'

/** The shell's own scheme. It shows one page, "the device is not running", and nothing else: the desk itself is served by the device. */
export const AWAY_SCHEME = 'elsewhere'
export const AWAY_URL = `${AWAY_SCHEME}://shell/away`

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"

function page(reason: string): string {
  const safe = reason.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Elsewhere</title>
<style>
:root { color-scheme: light dark; font: 13px/20px system-ui, sans-serif }
body { margin: 0; min-height: 100vh; display: grid; place-content: center; background: light-dark(oklch(98% 0.005 260), oklch(17% 0.01 260)); color: light-dark(oklch(22% 0.01 260), oklch(92% 0.01 260)) }
main { max-width: 420px; padding: 24px } h1 { font-size: 20px; line-height: 28px; font-weight: 600; margin: 0 0 8px } p { margin: 0 0 12px }
code { font: 13px ui-monospace, monospace; user-select: all }
</style>
<main role="alert"><h1>The device on this machine is not running</h1>
<p>Your desk, files and terminals are safe: they live in the device, not in this window.</p>
<p>${safe}</p><p>Elsewhere tries again every few seconds. To start it by hand: <code>elsewhere start</code></p></main></html>`
}

/** Registers the page. @param reason  why the last try failed, in plain words */
export function serveAwayPage(protocol: Protocol, reason: () => string): void {
  protocol.handle(AWAY_SCHEME, (request) => {
    const url = new URL(request.url)
    if (url.host !== 'shell' || url.pathname !== '/away') return new Response('not found', { status: 404 })
    return new Response(page(reason()), {
      headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': POLICY, 'x-content-type-options': 'nosniff' },
    })
  })
}
