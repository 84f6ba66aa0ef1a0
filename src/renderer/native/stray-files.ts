/**
 * A file of the host that is dropped where nothing takes it would be opened by the browser in the place of the desk. What
 * takes files has said so before the event comes here; an editor says so at the drop only.
 */
export function refuseStrayFiles(): void {
  const refuse = (event: DragEvent) => {
    if (event.defaultPrevented || !event.dataTransfer?.types.includes('Files')) return
    if (event.target instanceof Element && event.target.closest('[contenteditable="true"]')) return
    event.preventDefault()
    event.dataTransfer.dropEffect = 'none'
  }
  addEventListener('dragover', refuse)
  addEventListener('drop', refuse)
}
