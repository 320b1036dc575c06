/** Copies text; returns whether it worked. Without a secure context the browser has no clipboard: then nothing is pretended. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
