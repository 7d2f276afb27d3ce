/** What a conversation needs, as one chunk: the panel is painted before it has come. */

export { Live } from "./live";
export { default as Thread } from "./Thread.svelte";
export { default as UploadList } from "./UploadList.svelte";
export { Uploads } from "./uploads.svelte";
export { default as Viewer } from "./Viewer.svelte";
