package pdffile

import (
	"fmt"
	"strconv"
)

// Tree is the structure of a file: what its marks on paper are, in the order of reading
// (ISO 32000-1, 14.7).
type Tree struct {
	f       *File
	root    Ref
	parents []Ref // by key: the owners of a page's content, or of a link
	Top     *Elem // the document
}

// Elem is an element of the structure: a heading, a paragraph, a cell.
type Elem struct {
	tree   *Tree
	ref    Ref
	parent Ref
	kind   string
	attrs  string
	page   Ref // of its first content
	kids   []byte
}

// Structure begins the structure tree. It must come before the first page.
func (f *File) Structure() *Tree {
	t := &Tree{f: f, root: f.Alloc()}
	f.tree = t
	t.Top = &Elem{tree: t, ref: f.Alloc(), parent: t.root, kind: "Document"}
	return t
}

// Add begins an element as the next one of its parent. attrs is what its dictionary says
// beside.
func (e *Elem) Add(kind, attrs string) *Elem {
	child := &Elem{tree: e.tree, ref: e.tree.f.Alloc(), parent: e.ref, kind: kind, attrs: attrs}
	e.kids = append(append(e.kids, child.ref.String()...), ' ')
	return child
}

// content notes that a part of a page belongs to the element.
func (e *Elem) content(page Ref, mark int) {
	if e.page == 0 {
		e.page = page
	}
	if e.page == page {
		e.kids = append(strconv.AppendInt(e.kids, int64(mark), 10), ' ')
		return
	}
	e.kids = fmt.Appendf(e.kids, "<</Type/MCR/Pg %s/MCID %d>> ", page, mark)
}

// Close writes the element; nothing may be added to it any more.
func (e *Elem) Close() {
	body := fmt.Appendf(nil, "<</Type/StructElem/S/%s/P %s", e.kind, e.parent)
	if e.page != 0 {
		body = fmt.Appendf(body, "/Pg %s", e.page)
	}
	body = append(append(body, e.attrs...), "/K["...)
	e.tree.f.Object(e.ref, string(append(append(body, e.kids...), "]>>"...)))
	e.kids = nil
}

// key returns the next key of the parent tree.
func (t *Tree) key() int {
	t.parents = append(t.parents, 0)
	return len(t.parents) - 1
}

// page notes whose the parts of a page are.
func (t *Tree) page(key int, owners []*Elem) {
	body := []byte{'['}
	for _, e := range owners {
		body = append(append(body, e.ref.String()...), ' ')
	}
	t.parents[key] = t.f.Alloc()
	t.f.Object(t.parents[key], string(append(body, ']')))
}

// annotation notes whose a link is, and returns its key.
func (t *Tree) annotation(e *Elem, page, annotation Ref) int {
	key := t.key()
	t.parents[key] = e.ref
	e.kids = fmt.Appendf(e.kids, "<</Type/OBJR/Pg %s/Obj %s>> ", page, annotation)
	return key
}

func (t *Tree) finish() Ref {
	t.Top.Close()
	var nums []byte
	for key, ref := range t.parents {
		nums = fmt.Appendf(nums, "%d %s ", key, ref)
	}
	parents := t.f.Alloc()
	t.f.Object(parents, fmt.Sprintf("<</Nums[%s]>>", nums))
	t.f.Object(t.root, fmt.Sprintf("<</Type/StructTreeRoot/K %s/ParentTree %s/ParentTreeNextKey %d>>", t.Top.ref, parents, len(t.parents)))
	return t.root
}

// Bookmark is an entry of the outline.
type Bookmark struct {
	Title string
	Page  Ref
	Top   float64 // from the foot of the page
	Under []Bookmark
}

// outline writes the bookmarks and returns their root, 0 without any.
func (f *File) outline(marks []Bookmark) Ref {
	if len(marks) == 0 {
		return 0
	}
	root := f.Alloc()
	first, last, n := f.bookmarks(root, marks)
	f.Object(root, fmt.Sprintf("<</Type/Outlines/First %s/Last %s/Count %d>>", first, last, n))
	return root
}

func (f *File) bookmarks(parent Ref, marks []Bookmark) (first, last Ref, n int) {
	refs := make([]Ref, len(marks))
	for i := range refs {
		refs[i] = f.Alloc()
	}
	for i, m := range marks {
		body := fmt.Appendf(nil, "<</Title%s/Parent %s/Dest[%s/XYZ 0 %s null]", Text(m.Title), parent, m.Page, number(nil, m.Top))
		if i > 0 {
			body = fmt.Appendf(body, "/Prev %s", refs[i-1])
		}
		if i+1 < len(refs) {
			body = fmt.Appendf(body, "/Next %s", refs[i+1])
		}
		if len(m.Under) > 0 {
			first, last, under := f.bookmarks(refs[i], m.Under)
			body = fmt.Appendf(body, "/First %s/Last %s/Count %d", first, last, -under) // closed at first
		}
		f.Object(refs[i], string(append(body, ">>"...)))
	}
	return refs[0], refs[len(refs)-1], len(refs)
}
