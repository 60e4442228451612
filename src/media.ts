/** Video and sound, decoded and encoded by ffmpeg: `millrace/media`. */
export type { AudioWindow } from './media/audio-samples.ts'
export { audioSamples } from './media/audio-samples.ts'
export { encodeAudio } from './media/encode-audio.ts'
export { encodeVideo } from './media/encode-video.ts'
export type {
  AudioSamplesOptions,
  EncodeAudioOptions,
  EncodeVideoOptions,
  VideoFramesOptions,
} from './media/media-options.ts'
export type { PixelFormat } from './media/pixel-format.ts'
export type { AudioInfo, MediaInfo, VideoInfo } from './media/probe-media.ts'
export { probeMedia } from './media/probe-media.ts'
export type { VideoFrame } from './media/video-frames.ts'
export { videoFrames } from './media/video-frames.ts'
