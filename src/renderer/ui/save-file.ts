/** The browser reads the bytes after the press; a minute is more than it takes to begin. */
const KEPT_MS = 60_000

/** Hands a text or bytes to the person as a file: where it goes is the browser's business. `type`: of a text. */
export function saveFile(name: string, content: string | Blob, type = 'text/plain'): void {
  const address = URL.createObjectURL(typeof content === 'string' ? new Blob([content], { type }) : content)
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(address), KEPT_MS)
}

/** Has the browser download what an address of this desk answers, as it comes; the answer says what it is called. */
export function followAddress(address: string): void {
  const link = document.createElement('a')
  link.href = address
  link.download = ''
  link.click()
}

/** Prints a whole HTML page that is not this one, and forgets it when the person is done. */
export function printPage(html: string): void {
  const frame = document.createElement('iframe')
  frame.title = 'Page to print'
  frame.style.cssText = 'position:fixed;width:0;height:0;border:0;visibility:hidden'
  frame.srcdoc = html
  frame.addEventListener('load', () => {
    const inside = frame.contentWindow
    if (!inside) return frame.remove()
    inside.addEventListener('afterprint', () => frame.remove())
    inside.focus()
    inside.print()
  })
  document.body.append(frame)
}
