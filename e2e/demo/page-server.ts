import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/* The web page of the demo, as a process of its own so that it can run on a machine of a lab: `page-server.ts HOST`. Prints its URL. */
const HTML = `<!doctype html>
<meta charset="utf-8">
<title>Garden diary</title>
<style>
  body { margin: 0; font: 15px/1.55 system-ui, sans-serif; color: #23301f; background: #f6f8f1 }
  header { padding: 22px 28px 18px; background: linear-gradient(120deg, #2f6b3c, #7aa64b); color: #fff }
  h1 { margin: 0; font-size: 24px; letter-spacing: -.01em }
  header p { margin: 2px 0 0; opacity: .85 }
  main { padding: 16px 28px; display: grid; grid-template-columns: 1fr 1fr; gap: 14px }
  article { background: #fff; border-radius: 12px; padding: 12px 16px; box-shadow: 0 1px 3px #2341 }
  h2 { margin: 0 0 4px; font-size: 15px }
  p { margin: 0 }
  meter { width: 100%; height: 12px }
</style>
<header><h1>Garden diary</h1><p>Week 38 · 14 °C · rain on Thursday</p></header>
<main>
  <article><h2>Tomatoes</h2><p>Last of the Black Cherry. Save seed from plant 3.</p><meter value=".8"></meter></article>
  <article><h2>Beans</h2><p>Dry on the vine; pull before the rain.</p><meter value=".55"></meter></article>
  <article><h2>Garlic</h2><p>Cloves arrive Monday, 40 to plant.</p><meter value=".1"></meter></article>
  <article><h2>Compost</h2><p>Turned twice, 52 °C in the middle.</p><meter value=".65"></meter></article>
</main>`

const [, , host = '127.0.0.1'] = process.argv
const server = createServer((_request, response) => {
  response.setHeader('content-type', 'text/html; charset=utf-8')
  response.end(HTML)
})
server.listen(0, host, () => console.log(`http://${host}:${(server.address() as AddressInfo).port}/`))
