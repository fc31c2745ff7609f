// Package watermark makes watermarks from rows and combines those of several inputs.
package watermark
