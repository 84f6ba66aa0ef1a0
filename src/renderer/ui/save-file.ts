/** Hands a text to the person as a file: where it goes is the browser's business. */
export function saveFile(name: string, text: string, type = 'text/plain'): void {
  const address = URL.createObjectURL(new Blob([text], { type }))
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  URL.revokeObjectURL(address)
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
