package pdffile

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // the kinds of pictures
	_ "image/png"
)

// Image is a picture of the file.
type Image struct {
	ref           Ref
	Width, Height int // in pixels
}

// maxPixels bounds the memory that a picture takes while it is read.
const maxPixels = 16 << 20

// AddImage takes a PNG or JPEG picture into the file. Its error says what is wrong with it.
func (f *File) AddImage(data []byte) (*Image, error) {
	config, kind, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, errors.New("it is no PNG or JPEG picture")
	}
	if config.Width <= 0 || config.Height <= 0 || config.Width > maxPixels/config.Height {
		return nil, fmt.Errorf("it has %d × %d pixels; %d million are the most", config.Width, config.Height, maxPixels>>20)
	}
	picture, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("the picture is damaged (%w)", err)
	}
	out := &Image{ref: f.Alloc(), Width: config.Width, Height: config.Height}
	dict := fmt.Sprintf("/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8", config.Width, config.Height)
	if kind == "jpeg" && (config.ColorModel == color.YCbCrModel || config.ColorModel == color.GrayModel) {
		space := "/DeviceRGB"
		if config.ColorModel == color.GrayModel {
			space = "/DeviceGray"
		}
		f.raw(out.ref, dict+"/ColorSpace"+space+"/Filter/DCTDecode", data)
		return out, nil
	}
	colors, alphas := make([]byte, 0, 3*config.Width*config.Height), make([]byte, 0, config.Width*config.Height)
	clear := false
	bounds := picture.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			c := color.NRGBAModel.Convert(picture.At(x, y)).(color.NRGBA)
			colors, alphas = append(colors, c.R, c.G, c.B), append(alphas, c.A)
			clear = clear || c.A != 0xFF
		}
	}
	if clear {
		mask := f.Alloc()
		f.Stream(mask, dict+"/ColorSpace/DeviceGray", alphas)
		dict += "/SMask " + mask.String()
	}
	f.Stream(out.ref, dict+"/ColorSpace/DeviceRGB", colors)
	return out, nil
}
